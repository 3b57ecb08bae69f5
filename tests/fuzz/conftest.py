"""Number of inputs: few and fixed by default, many and random with
`--hypothesis-profile=long`."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, settings
from sandbox import Sandbox

_COMMON = {
    "deadline": None,
    "database": None,
    "phases": (Phase.generate,),
    "suppress_health_check": list(HealthCheck),
}
settings.register_profile("fast", max_examples=60, derandomize=True, **_COMMON)
settings.register_profile("long", max_examples=3000, print_blob=True, **_COMMON)
settings.load_profile("fast")

TRIED: dict[str, Counter[str]] = {}
"""Outcomes by reader."""


@pytest.fixture(scope="session")
def tried():
    return TRIED


@pytest.fixture(scope="module")
def sandbox():
    one = Sandbox()
    yield one
    one.close()


def pytest_terminal_summary(terminalreporter):
    if TRIED:
        terminalreporter.section("inputs tried")
        for name, counts in TRIED.items():
            parts = ", ".join(f"{number} {kind}" for kind, number in sorted(counts.items()))
            terminalreporter.write_line(f"{name}: {counts.total()} ({parts})")
