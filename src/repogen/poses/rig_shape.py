"""Find the joints of the body in a foreign skeleton by its shape, whatever the joints' names.

A body is a trunk from which two pairs of equal chains branch off: the legs nearer to the root, the
arms where the head's chain goes on. The two longest bones of a chain in a row are those of a limb.
Lengths of bones do not depend on the pose. Left and right follow from the names, where those of
the two sides differ by a word for left or right; else from where the feet and knees point.
"""

from collections.abc import Sequence
from itertools import combinations, pairwise, permutations

import numpy as np

from repogen.arrays import Float
from repogen.poses.bvh import Skeleton
from repogen.poses.kinematics import ancestors

_SIDE_WORDS = (
    ("left", "right"), ("l", "r"), ("lf", "rt"), ("lt", "rt"), ("左", "右"), ("좌", "우"),
    ("왼", "오른"), ("links", "rechts"), ("gauche", "droite"), ("gauche", "droit"), ("g", "d"),
    ("izquierda", "derecha"), ("izquierdo", "derecho"), ("izq", "der"), ("i", "d"),
    ("esquerda", "direita"), ("esquerdo", "direito"), ("sinistra", "destra"),
    ("sinistro", "destro"), ("sx", "dx"), ("s", "d"), ("лев", "прав"),
    ("слева", "справа"), ("vänster", "höger"), ("venstre", "højre"), ("lewa", "prawa"),
    ("lewy", "prawy"), ("sol", "sag"),
)  # fmt: skip
"""Words for left and right in joint names."""

_EQUAL = 0.12
"""Sides of a body may differ in length by this share."""

_CLEAR = 0.02
"""Sines on average below which feet and knees do not show the front."""

_TWISTS = ("twist", "roll", "捩")
"""Joints with these words in their names only split a bone."""

_ENDS = ("end", "nub", "site", "tip", "top", "先")


_MAX_PAIRS = 40
"""The longest pairs of chains are tried; faces and hands have hundreds."""

Positions = Float[np.ndarray, "frames joints 3"]


def limbs_by_shape(skeleton: Skeleton, positions: Positions) -> dict[str, int] | None:
    """The joints of arms and legs and the head, by our names; None if the shape is no body's.

    `positions` are the joints' in the motion.
    """
    tree = _Tree(skeleton)
    siblings = (pair for below in tree.children for pair in combinations(below, 2))
    pairs = sorted({p for p in siblings if tree.are_equal(*p)}, key=tree.length_of_pair)
    found = (
        (legs, arms)
        for legs, arms in permutations(pairs[-_MAX_PAIRS:], 2)
        if _are_legs_and_arms(tree, legs, arms)
    )
    longest = max(found, key=lambda both: sum(map(tree.length_of_pair, both)), default=None)
    if longest is None:
        return None
    legs, arms = ([tree.limb(joint) for joint in pair] for pair in longest)
    head = tree.head(longest[1])
    assert head is not None
    left = _left_leg(skeleton, legs, positions, head)
    if left is None:
        return None
    legs = [legs[left], legs[1 - left]]
    left = _left_arm(skeleton, arms, positions, legs)
    arms = [arms[left], arms[1 - left]]
    out = {"head": head}
    for names, limbs in ((("hip", "knee", "ankle", "foot"), legs),
                         (("shoulder", "elbow", "wrist"), arms)):  # fmt: skip
        for side, limb in zip(("left", "right"), limbs, strict=True):
            out |= {f"{side}_{n}": joint for n, joint in zip(names, limb, strict=False)}
    return out


class _Tree:
    """The joints below each joint, and how far they reach."""

    def __init__(self, skeleton: Skeleton) -> None:
        self.skeleton = skeleton
        self.lengths = np.linalg.norm(skeleton.offsets, axis=1).tolist()
        self.children = self._children()
        self.reach = [0.0] * len(self.children)
        """Length of the longest chain from each joint."""
        for joint in reversed(range(len(self.children))):
            ends = [self.lengths[c] + self.reach[c] for c in self.children[joint]]
            self.reach[joint] = max(ends, default=0.0)

    def _children(self) -> list[list[int]]:
        """Each joint's children; those of a child without length stand in its place."""
        out: list[list[int]] = [[] for _ in self.lengths]
        shortest = 1e-4 * max(self.lengths[1:], default=0.0)
        for joint in reversed(range(len(out))):
            if (parent := self.skeleton.parents[joint]) >= 0:
                itself = self.lengths[joint] > shortest or not out[joint]
                out[parent] = ([joint] if itself else out[joint]) + out[parent]
        return out

    def are_equal(self, first: int, second: int) -> bool:
        """Whether two joints begin chains of the same length."""
        reach = sorted((self.reach[first], self.reach[second]))
        return reach[0] > (1 - _EQUAL) * reach[1]

    def length_of_pair(self, pair: tuple[int, int]) -> float:
        """The length of both chains."""
        return self.reach[pair[0]] + self.reach[pair[1]]

    def branch(self, pair: tuple[int, int]) -> int:
        """The joint from which a pair branches off."""
        first, second = (ancestors(self.skeleton, joint) for joint in pair)
        return next(joint for joint in first if joint in second)

    def chain(self, joint: int) -> list[int]:
        """A joint and those below it along the longest chain."""
        out = [joint]
        while below := self.children[out[-1]]:
            out.append(max(below, key=lambda c: self.lengths[c] + self.reach[c]))
        return out

    def limb(self, joint: int) -> list[int]:
        """The joints of a limb from the hip or shoulder on; empty if the chain is too short."""
        joints, lengths = [joint], [0.0]
        for below in self.chain(joint)[1:]:
            lengths[-1] += self.lengths[below]
            if not any(word in self.skeleton.names[below].lower() for word in _TWISTS):
                joints.append(below)
                lengths.append(0.0)
        shorter = [min(pair) for pair in pairwise(lengths[: len(joints) - 1])]
        return joints[int(np.argmax(shorter)) :] if shorter else []

    def head(self, arms: tuple[int, int]) -> int | None:
        """The head above the joint from which the arms branch off."""
        others = [c for c in self.children[self.branch(arms)] if c not in arms]
        single = [
            c for c in others if not any(self.are_equal(c, other) for other in others if other != c)
        ]
        if not single:
            return None
        chain = self.chain(max(single, key=lambda c: self.lengths[c] + self.reach[c]))
        names = [self.skeleton.names[joint].lower() for joint in chain]
        named = [joint for joint, name in zip(chain, names, strict=True) if "head" in name]
        if named:
            return named[0]
        forks = [joint for joint in chain if len(self.children[joint]) != 1]
        is_end = len(chain) > 1 and names[-1].endswith(_ENDS)
        return chain[-2] if is_end and forks[0] == chain[-1] else forks[0]


def _are_legs_and_arms(tree: _Tree, legs: tuple[int, int], arms: tuple[int, int]) -> bool:
    hips, chest = tree.branch(legs), tree.branch(arms)
    above = [set(ancestors(tree.skeleton, joint)) for joint in (*arms, *legs)]
    if hips == chest or any(set(legs) & joints for joints in above[:2]):
        return False
    if any(set(arms) & joints for joints in above[2:]) or chest in ancestors(tree.skeleton, hips):
        return False
    return all(tree.limb(joint) for joint in (*legs, *arms)) and tree.head(arms) is not None


def _left_by_names(skeleton: Skeleton, limbs: Sequence[Sequence[int]]) -> int:
    """Above 0 if the first limb's names are those of a left one, below 0 for the second."""
    votes = 0
    for pair in zip(*limbs, strict=False):
        first, second = (skeleton.names[joint].lower() for joint in pair)
        votes += any(_differ_by(first, second, *words) for words in _SIDE_WORDS)
        votes -= any(_differ_by(second, first, *words) for words in _SIDE_WORDS)
    return votes


def _differ_by(first: str, second: str, left: str, right: str) -> bool:
    """Whether one `right` in place of one `left` makes the second name of the first."""
    starts = [i for i in range(len(first)) if first.startswith(left, i)]
    return any(first[:i] + right + first[i + len(left) :] == second for i in starts)


def _left_leg(
    skeleton: Skeleton, legs: Sequence[Sequence[int]], positions: Positions, head: int
) -> int | None:
    """Which of two legs is the left one; None if neither names nor motion show it."""
    if votes := _left_by_names(skeleton, legs):
        return int(votes < 0)
    hips = [positions[:, leg[0]] for leg in legs]
    up = _unit(positions[:, head] - (hips[0] + hips[1]) / 2)
    left = np.zeros_like(up)
    for leg in legs:
        thigh, shin, *foot = (_unit(positions[:, b] - positions[:, a]) for a, b in pairwise(leg))
        left += np.cross(thigh, shin)  # knees bend to the back
        left += np.cross(up, foot[0]) if foot else 0.0
    vote = float(np.mean(np.einsum("fi,fi->f", _unit(hips[0] - hips[1]), left)))
    return int(vote < 0) if abs(vote) > _CLEAR else None


def _left_arm(
    skeleton: Skeleton,
    arms: Sequence[Sequence[int]],
    positions: Positions,
    legs: Sequence[Sequence[int]],
) -> int:
    """Which of two arms is the left one: by its names, else the one on the left leg's side."""
    if votes := _left_by_names(skeleton, arms):
        return int(votes < 0)
    across = [positions[:, limbs[0][0]] - positions[:, limbs[1][0]] for limbs in (arms, legs)]
    return int(np.einsum("fi,fi->", *across) < 0)


def _unit(vectors: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
