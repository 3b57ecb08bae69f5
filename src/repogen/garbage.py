"""Python's collection of garbage, which finds little here and takes time."""

import gc

_COLLECT_AFTER = 300_000
"""New objects between collections: more than a first picture makes. Python's own number, 700, makes
imports and pictures slower."""


def collect_seldom() -> None:
    """Collect garbage seldom in this process, and never what there is already, as modules are."""
    gc.set_threshold(_COLLECT_AFTER)
    gc.freeze()
