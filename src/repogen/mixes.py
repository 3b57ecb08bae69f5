"""Weighted mixes of named choices, as they stand on the command line."""

from collections.abc import Iterable

from repogen.errors import UserError, unknown_choice

Mix = tuple[tuple[str, float], ...]
"""(name, weight) pairs; the weights sum to 1."""


def parse_mix(what: str, entries: tuple[str, ...], known: Iterable[str], example: str) -> Mix:
    """The mix of entries such as `("top=0.5", "bottom=0.5")` or `("top", "front")`.

    Without weights all names have the same. `what` is the singular of what is named and `example`
    an option with two names, for errors. Raises `UserError` for an unknown or repeated name, a
    weight outside (0, 1], a mix of both styles, or weights that do not sum to 1.
    """
    if not entries:
        raise UserError(f"no {what}s given; name at least one, e.g. {example}")
    names, weights = [], []
    for entry in entries:
        name, equals, text = entry.partition("=")
        if name not in known:
            raise unknown_choice(what, name, known)
        if name in names:
            raise UserError(f"{what} {name!r} is given twice; give it once")
        names.append(name)
        if equals:
            try:
                weight = float(text)
            except ValueError:
                weight = float("nan")
            if not 0 < weight <= 1:
                raise UserError(f"{what} weight {entry!r} must be a number in (0, 1]")
            weights.append(weight)
    if weights and len(weights) != len(names):
        raise UserError(f"give every {what} a weight or none: {' '.join(entries)}")
    if weights and abs(sum(weights) - 1) > 1e-6:
        raise UserError(f"{what} weights sum to {sum(weights):g}, not to 1: {' '.join(entries)}")
    return tuple(zip(names, weights or [1 / len(names)] * len(names), strict=True))
