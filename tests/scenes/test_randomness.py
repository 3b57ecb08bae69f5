"""Randomness is an argument: nothing in the package keeps or seeds global random state."""

import ast
from pathlib import Path

import pytest

import repogen

SOURCES = sorted(Path(repogen.__file__).parent.rglob("*.py"))
ALLOWED = {"Generator", "default_rng", "SeedSequence", "BitGenerator", "PCG64"}


def global_randomness(source):
    """Lines that use NumPy's or Python's global generator, an unseeded one, or `hash`."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            bad = any(alias.name in ("random", "uuid", "secrets") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            bad = node.module in ("random", "uuid", "secrets", "numpy.random")
        elif isinstance(node, ast.Attribute):
            name = ast.unparse(node)
            bad = name.startswith(("np.random.", "numpy.random.")) and node.attr not in ALLOWED
            bad |= name in ("torch.manual_seed", "os.urandom")
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            bad = name == "hash" or (name.endswith("default_rng") and not node.args)
        else:
            bad = False
        if bad:
            lines.append(node.lineno)
    return sorted(set(lines))


@pytest.mark.parametrize(
    "source",
    [
        "import random",
        "from random import random",
        "np.random.rand(3)",
        "numpy.random.seed(0)",
        "rng = np.random.default_rng()",
        "hash('x')",
        "torch.manual_seed(0)",
    ],
)
def test_the_check_finds_what_it_looks_for(source):
    assert global_randomness(source) == [1]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(SOURCES[0].parent).as_posix())
def test_no_global_random_state(path):
    source = path.read_text()
    if path.parent.name == "training":
        # torch's initialisers and dropout know no other generator: training seeds it each step.
        source = source.replace("torch.manual_seed", "seed_torch")
    assert global_randomness(source) == []
