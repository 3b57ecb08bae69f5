"""The expected datasets, generated without faults."""

import pytest
from faulty import FORMATS, config_of, contents

from repogen import generate


@pytest.fixture(scope="session")
def datasets(body, tmp_path_factory):
    """The folder of a run without faults, by format."""
    root = tmp_path_factory.mktemp("datasets")
    return {kind: generate(root / kind, config_of(kind)) for kind in FORMATS}


@pytest.fixture(scope="session")
def expected(datasets):
    """The contents of a dataset generated without faults, by format."""
    return {kind: contents(root) for kind, root in datasets.items()}
