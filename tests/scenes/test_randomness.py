"""Randomness is an argument: nothing in the package draws from a global, unseeded or clock-seeded
generator, nor relies on `hash`, which differs from process to process."""

import ast
from pathlib import Path

import pytest

import repogen

SOURCES = sorted(Path(repogen.__file__).parent.rglob("*.py"))
FORBIDDEN = {"random", "uuid", "secrets", "os.urandom", "os.getrandom", "hash", "torch.manual_seed"}
SEEDED = {
    f"numpy.random.{name}"
    for name in (
        "default_rng", "Generator", "SeedSequence", "MT19937", "PCG64", "PCG64DXSM", "Philox",
        "SFC64", "RandomState",
    )
}  # fmt: skip
"""These may be called with a seed only; whatever else is in numpy.random is global, or a type."""
OF_TORCH = {
    f"torch.{name}"
    for name in ("rand", "randn", "randint", "randperm", "normal", "bernoulli", "multinomial")
}
"""These draw from the global generator of torch unless they are given one."""
CHANGING = ("time.", "datetime.", "os.getpid", "os.getppid")
"""What differs from run to run, and so is no seed; `id` is another."""


def imported_as(tree):
    """What names stand for: numpy for `np`, numpy.random.PCG64 for `Bits`; builtins are there."""
    names = {"np": "numpy", "hash": "hash", "id": "id", "__import__": "__import__"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.name if alias.asname else alias.name.split(".")[0]
                names[alias.asname or name] = name
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return names


def is_forbidden(name):
    if name.startswith("numpy.random."):
        return name not in SEEDED | {"numpy.random.BitGenerator"}
    return name in FORBIDDEN or name.split(".")[0] in FORBIDDEN


def uncontrolled_randomness(source):
    """Lines whose result depends on more than the source's arguments and seeds."""
    tree = ast.parse(source)
    names = imported_as(tree)

    def full_name(node):
        first, dot, rest = ast.unparse(node).partition(".")
        return names[first] + dot + rest if first in names else ""

    def is_uncontrolled_call(call):
        name, keywords = full_name(call.func), {keyword.arg for keyword in call.keywords}
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        constants = [argument.value for argument in given if isinstance(argument, ast.Constant)]
        parts = [full_name(n) for a in given for n in ast.walk(a) if isinstance(n, ast.expr)]
        if name in SEEDED:
            unseeded = constants == [None] * len(given)
            return unseeded or any(part.startswith(CHANGING) or part == "id" for part in parts)
        if name in ("importlib.import_module", "__import__"):
            return any(is_forbidden(str(constant)) for constant in constants)
        if ast.unparse(call.func).endswith(".rvs"):  # of scipy.stats
            return "random_state" not in keywords
        return name in OF_TORCH and "generator" not in keywords

    def is_uncontrolled(node):
        match node:
            case ast.Import():
                return any(is_forbidden(alias.name) for alias in node.names)
            case ast.ImportFrom(level=0):
                return any(is_forbidden(f"{node.module}.{alias.name}") for alias in node.names)
            case ast.Attribute(attr="__hash__"):
                return True
            case ast.Attribute() | ast.Name():
                return is_forbidden(full_name(node))
            case ast.Call():
                return is_uncontrolled_call(node)
        return False

    return sorted({node.lineno for node in ast.walk(tree) if is_uncontrolled(node)})


@pytest.mark.parametrize(
    "source",
    [
        "import random",
        "import random as r",
        "import os, random",
        "from random import random",
        "def f(): import uuid",
        "from uuid import uuid4 as name",
        "import secrets as s",
        "from importlib import import_module as load; r = load('random')",
        "import importlib; r = importlib.import_module('secrets')",
        "r = __import__('random')",
        "import os; seed = os.urandom(8)",
        "from os import urandom as noise",
        "np.random.rand(3)",
        "import numpy; numpy.random.seed(0)",
        "import numpy as n; n.random.shuffle(x)",
        "from numpy import random as r; r.normal()",
        "import numpy.random as r; r.normal()",
        "from numpy.random import normal",
        "from numpy.random import *",
        "shuffle = np.random.shuffle",
        "rng = np.random.default_rng()",
        "rng = np.random.default_rng(None)",
        "rng = np.random.default_rng(seed=None)",
        "from numpy.random import default_rng; rng = default_rng()",
        "from numpy.random import default_rng as new; rng = new()",
        "rng = np.random.Generator(np.random.PCG64())",
        "from numpy.random import Generator as G, PCG64 as Bits; rng = G(Bits())",
        "bits = np.random.Philox()",
        "rng = np.random.Generator()",
        "seeds = np.random.SeedSequence().spawn(3)",
        "seeds = np.random.SeedSequence(entropy=None)",
        "import time; rng = np.random.default_rng(int(time.time()))",
        "from time import time_ns as now; rng = np.random.default_rng([3, now()])",
        "import datetime; bits = np.random.PCG64(seed=datetime.datetime.now().microsecond)",
        "import os; rng = np.random.default_rng(os.getpid())",
        "rng = np.random.default_rng(id(body))",
        "seed = hash('x')",
        "seeds = map(hash, names)",
        "seed = 'x'.__hash__()",
        "import torch; torch.manual_seed(0)",
        "from torch import manual_seed",
        "import torch; x = torch.randn(3)",
        "from scipy.stats import norm; x = norm.rvs(size=3)",
    ],
)
def test_uncontrolled_randomness_is_found(source):
    assert uncontrolled_randomness(source) == [1]


@pytest.mark.parametrize(
    "source",
    [
        "import random_forest, os, time",
        "from repogen.scenes import random",
        "from .random import f",
        "rng = np.random.default_rng(0)",
        "rng = np.random.default_rng(*key)",
        "rng = np.random.default_rng([seed, index])",
        "from numpy.random import default_rng; rng = default_rng(seed=seed)",
        "rng = np.random.Generator(np.random.PCG64(seed))",
        "def f(rng: np.random.Generator, bits: np.random.BitGenerator): rng.random(); rng.uuid",
        "seeds = np.random.SeedSequence(entropy=seed, spawn_key=(1,))",
        "import time; begun = time.monotonic(); rng = np.random.default_rng(seed)",
        "from importlib import import_module; import_module('repogen.random')",
        "import hashlib; hashlib.sha256(b'x'); key.hash(); uuid = 3",
        "class A:\n    def __hash__(self): return 3",
        "import os; os.path.join('random', 'uuid')",
        "import torch; x = torch.randn(3, generator=g); y = torch.zeros(3)",
        "from scipy.stats import norm; x = norm.rvs(size=3, random_state=rng)",
    ],
)
def test_randomness_of_arguments_is_allowed(source):
    assert uncontrolled_randomness(source) == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(SOURCES[0].parent).as_posix())
def test_no_global_random_state(path):
    source = path.read_text()
    if path.parent.name == "training":
        # torch's initialisers and dropout know no other generator: training seeds it each step.
        source = source.replace("torch.manual_seed", "seed_torch")
    if path.parent.name == "studio":
        source = source.replace("secrets", "tokens")  # a token that could be repeated is none
    assert uncontrolled_randomness(source) == []
