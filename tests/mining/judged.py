"""Judged people for tests, without rendering anybody."""

import numpy as np

from repogen.mining.records import DESCRIPTOR, Candidate, JudgedPerson


def person(difficulty=0.5, **values):
    """A judged person whose three parts of difficulty are all the same."""
    defaults = {
        "number": 0, "difficulty": ((difficulty,) * 3,), "explored": False,
        "azimuth": 0.0, "elevation": 0.0, "roll": 0.0, "subject_azimuth": 0.0,
        "subject_elevation": 0.0, "orientation": (0.0, 0.0, 0.0), "angles": (0.0,) * 63,
        "descriptor": (0.0,) * DESCRIPTOR, "side": 100.0, "visible": 15, "outside": 0,
        "excess": 0.0, "inside": 0.0, "clothes": "painted", "light": 0.5,
        "joints": ((1.0,) * 17,),
    }  # fmt: skip
    return JudgedPerson(**defaults | values)


def candidate(index, difficulty=0.5, **values):
    return Candidate(index, "", person(difficulty, **values))


def at(*numbers):
    """A descriptor that begins with these numbers."""
    return tuple(np.pad(np.array(numbers, dtype=float), (0, DESCRIPTOR - len(numbers))).tolist())
