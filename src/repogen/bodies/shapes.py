"""Random body shapes of anny, by age group."""

import numpy as np

from repogen.errors import UserError, unknown_choice

AGES = {"children": (0.30, 0.58), "adults": (0.64, 0.86), "elders": (0.86, 1.0)}
"""Range of anny's age phenotype: 1/3 is a child, 2/3 a young adult, 1 an old person."""


def parse_ages(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names, checked. Raises `UserError` for an unknown age group, or for none."""
    if not names:
        raise UserError("no ages given; name at least one of " + ", ".join(AGES))
    for name in names:
        if name not in AGES:
            raise unknown_choice("age group", name, AGES)
    return names


def sample_anny_shape(
    rng: np.random.Generator, ages: tuple[str, ...], local_labels: tuple[str, ...]
) -> dict[str, float]:
    """A random shape of one of the age groups: gender, age, build, height, proportions, ancestry.

    Gender is male, female or between (2 : 2 : 1). Build and height are Gaussian about the
    average, local changes N(0, 0.25), all clipped to anny's range.
    """
    low, high = AGES[ages[int(rng.integers(len(ages)))]]
    gender = [(0.0, 0.12), (0.88, 1.0), (0.3, 0.7)][int(rng.choice(3, p=[0.4, 0.4, 0.2]))]
    ancestry = rng.dirichlet([0.5, 0.5, 0.5])
    shape = {
        "gender": rng.uniform(*gender),
        "age": rng.uniform(low, high),
        "muscle": np.clip(rng.normal(0.5, 0.18), 0.05, 0.95),
        "weight": np.clip(rng.normal(0.5, 0.2), 0.05, 1.0),
        "height": np.clip(rng.normal(0.5, 0.16), 0.05, 0.95),
        "proportions": rng.uniform(0.3, 1.0),
        "cupsize": np.clip(rng.normal(0.45, 0.18), 0.05, 0.95),
        "firmness": rng.uniform(0.3, 0.9),
        "african": ancestry[0],
        "asian": ancestry[1],
        "caucasian": ancestry[2],
    }
    changes = np.clip(rng.normal(0.0, 0.25, len(local_labels)), -0.8, 0.8)
    # One draw for both sides: people are nearly symmetric.
    drawn = dict(zip(local_labels, changes, strict=True))
    for label in local_labels:
        if label.startswith("r-"):
            drawn[label] = 0.9 * drawn["l-" + label[2:]] + 0.1 * drawn[label]
    return {name: float(value) for name, value in (shape | drawn).items()}
