"""How plausible a pose is, in three numbers."""

from dataclasses import dataclass

import numpy as np

from repogen.bodies.intersection import intersecting_share
from repogen.bodies.surface import layer_vertices
from repogen.mining.candidates import SKIN_SAMPLES
from repogen.mining.config import JudgingConfig
from repogen.people.balance import centre_of_mass, overhang
from repogen.people.posing import PosedPerson
from repogen.poses.plausibility import range_excess


@dataclass(frozen=True)
class Plausibility:
    """Degrees of each joint beyond the range of motion; the share of the skin inside the body; and
    the metres by which the weight overhangs what touches the floor."""

    beyond_deg: dict[str, float]
    inside: float
    overhang_m: float

    def text(self, on_floor: bool) -> str:
        """The numbers in one line of Markdown, after the verdict of `repogen mine`. The weight
        counts `on_floor`."""
        total = sum(self.beyond_deg.values())
        limits = JudgingConfig
        plausible = total <= limits.max_excess and self.inside <= limits.max_inside
        if on_floor:
            plausible = plausible and self.overhang_m <= limits.max_overhang
        worst = max(self.beyond_deg, key=lambda joint: self.beyond_deg[joint], default="")
        where = f" ({worst.replace('_', ' ')})" if worst else ""
        parts = [
            f"{total:.0f}° beyond the range of motion{where}",
            f"{100 * self.inside:.1f} % of the skin inside the body",
        ]
        if on_floor:
            parts.append(f"weight {100 * self.overhang_m:.0f} cm beside what carries it")
        return f"**{'plausible' if plausible else 'not plausible'}**: {'; '.join(parts)}"


def plausibility(posed: PosedPerson) -> Plausibility:
    """The plausibility of a person as posed."""
    surface, vertices = posed.surface, posed.body.vertices.astype(float)
    skin = vertices[layer_vertices(surface, "skin")]
    centre = centre_of_mass(vertices, surface.faces, surface.faces_of("skin"))
    return Plausibility(
        range_excess(posed.person.angles),
        intersecting_share(surface, posed.at_origin, SKIN_SAMPLES),
        float(np.linalg.norm(overhang(skin, centre))),
    )
