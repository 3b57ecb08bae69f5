"""The share of skin that shows through garments, over random poses and bodies.

    python benchmarks/cloth.py --people 200

A sample sees skin through a garment if the three corners of its face are under a garment, at least
a ring of faces from the garment's border (`FittedGarment.covered`). Shares are of the
samples that see the person.
"""

import argparse

import numpy as np

from repogen import SceneConfig, load_body, sample_scene
from repogen.rendering import Renderer


def shares(people: int) -> dict[str, list[float]]:
    """The share of each person, by the name of each garment they wear, and of everyone as `all`."""
    body = load_body()
    renderer = Renderer(body)
    config = SceneConfig(views=("sphere",), wardrobe="packs", backgrounds="plain")
    faces = body.surface.faces
    skin = body.surface.faces_of("skin")
    out: dict[str, list[float]] = {"all": []}
    for index in range(people):
        rendering = renderer.render(sample_scene(config, 0, index, body))
        person = rendering.scene.people[0]
        covered = np.zeros(len(body.surface.canonical), dtype=bool)
        for garment in rendering.people[0].garments:
            covered |= garment.fitted.covered
        inner = covered.copy()
        inner[faces[skin & ~covered[faces].all(axis=1)]] = False
        under = np.zeros(len(rendering.mesh.faces), dtype=bool)
        under[: len(faces)] = skin & inner[faces].all(axis=1)
        seen = rendering.gbuffer.faces[rendering.gbuffer.covered]
        share = float(under[seen].mean())
        for name in ("all", *(worn.name for worn in person.outfit.worn)):
            out.setdefault(name, []).append(share)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=200)
    found = shares(parser.parse_args().people)
    print(f"{'% of a person':<24} {'people':>6} {'mean':>7} {'90 %':>7} {'worst':>7}")
    for name, values in sorted(found.items(), key=lambda item: -np.mean(item[1])):
        mean, high, worst = np.mean(values), np.quantile(values, 0.9), np.max(values)
        print(f"{name:<24} {len(values):>6} {100 * mean:7.3f} {100 * high:7.3f} {100 * worst:7.3f}")


if __name__ == "__main__":
    main()
