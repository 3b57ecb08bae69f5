"""Random body shapes of anny, by age group."""

from collections.abc import Collection, Sequence

import numpy as np

from repogen.errors import UserError, unknown_choice

AGES = {"children": (0.30, 0.58), "adults": (0.64, 0.86), "elders": (0.86, 1.0)}
"""Range of anny's age phenotype: 1/3 is a child, 2/3 a young adult, 1 an old person."""


GENDERS = {"male": (0.0, 0.12), "female": (0.88, 1.0), "neutral": (0.3, 0.7)}
"""Range of anny's gender phenotype, which is continuous."""

_HEIGHT = (0.35, 0.06)
"""Mean and standard deviation of anny's height phenotype: men are 1.74 m tall and women 1.60 m,
on average, as in many countries (NCD Risk Factor Collaboration, eLife 2016). The
phenotype's middle, 0.5, is taller."""


def parse_ages(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names, checked. Raises `UserError` for an unknown age group, or for none."""
    return _checked("age group", "ages", names, AGES)


def parse_genders(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names, checked. Raises `UserError` for an unknown gender, or for none."""
    return _checked("gender", "gender", names, GENDERS)


def _checked(
    kind: str, option: str, names: tuple[str, ...], known: Collection[str]
) -> tuple[str, ...]:
    if not names:
        raise UserError(f"no {option} given; name at least one of " + ", ".join(known))
    for name in names:
        if name not in known:
            raise unknown_choice(kind, name, known)
    return names


def sample_anny_shape(
    rng: np.random.Generator,
    ages: tuple[str, ...],
    genders: tuple[str, ...],
    local_labels: tuple[str, ...],
) -> dict[str, float]:
    """A random shape: gender, age, build, height, proportions, ancestry.

    Each of the age groups and each of the genders is equally likely. Build and height are Gaussian
    about the average of real people, local changes N(0, 0.25), all clipped to anny's range.
    """
    low, high = AGES[ages[int(rng.integers(len(ages)))]]
    gender = GENDERS[genders[int(rng.integers(len(genders)))]]
    ancestry = rng.dirichlet([0.5, 0.5, 0.5])
    shape = {
        "gender": rng.uniform(*gender),
        "age": rng.uniform(low, high),
        "muscle": np.clip(rng.normal(0.5, 0.18), 0.05, 0.95),
        "weight": np.clip(rng.normal(0.5, 0.2), 0.05, 1.0),
        "height": np.clip(rng.normal(*_HEIGHT), 0.05, 0.95),
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


def sample_anny_face(rng: np.random.Generator, labels: Sequence[str]) -> dict[str, float]:
    """A random facial expression: weak strengths, 0 to 1, of a third of the facial actions.

    The actions have no opposite: below 0 they would turn the face inside out.
    """
    strengths = np.minimum(np.abs(rng.normal(0.0, 0.3, len(labels))), 1.0)
    active = rng.random(len(labels)) < 1 / 3
    return {
        label: float(strength)
        for label, strength, on in zip(labels, strengths, active, strict=True)
        if on and label != "tongueOut"
    }
