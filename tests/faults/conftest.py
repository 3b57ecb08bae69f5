"""The datasets that no fault saw."""

import pytest
from faulty import FORMATS, config_of, contents

from repogen import generate


@pytest.fixture(scope="session")
def whole(body, tmp_path_factory):
    """The folder of an undisturbed run, by format."""
    root = tmp_path_factory.mktemp("whole")
    return {kind: generate(root / kind, config_of(kind)) for kind in FORMATS}


@pytest.fixture(scope="session")
def undisturbed(whole):
    """Its files, by format."""
    return {kind: contents(root) for kind, root in whole.items()}
