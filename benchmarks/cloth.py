"""The share of skin that comes out through garments, over random poses and bodies.

    python benchmarks/cloth.py --people 200

Behind skin that has come out, the camera would see the outside of the garment; where it looks into
a sleeve or under a skirt, there is none. A sample counts if its face is under a garment
(`FittedGarment.covered`) and has such cloth at most 4 cm behind its middle. Shares are of the
samples that see the person.
"""

import argparse

import numpy as np

from repogen import SceneConfig, load_body, sample_scene
from repogen.bodies.kernels import find_faces
from repogen.bodies.protocol import LAYERS
from repogen.rendering import Renderer
from repogen.rendering.renderer import RenderResult
from repogen.warp_setup import wp

_REACH = 0.04


def share_outside(rendering: RenderResult) -> float:
    """The share of one person's samples that see skin outside a garment."""
    mesh, at = rendering.mesh, rendering.vertices
    under = np.zeros(len(at), dtype=bool)
    for garment in rendering.people[0].garments:
        under[np.flatnonzero(garment.fitted.covered)] = True
    cloth = mesh.faces[mesh.layers == LAYERS.index("cloth")]
    seen, samples = np.unique(
        rendering.gbuffer.faces[rendering.gbuffer.covered], return_counts=True
    )
    skin = under[mesh.faces[seen]].all(axis=1)
    if not skin.any() or not len(cloth):
        return 0.0
    middles = at[mesh.faces[seen[skin]]].mean(axis=1)
    rays = middles / np.linalg.norm(middles, axis=1, keepdims=True)
    garments = wp.Mesh(
        wp.array(at, dtype=wp.vec3, device="cpu"),
        wp.array(cloth.ravel(), dtype=wp.int32, device="cpu"),
    )
    found = wp.empty(len(rays), dtype=wp.int32, device="cpu")
    weights = wp.empty(len(rays), dtype=wp.vec3, device="cpu")
    inputs = [
        garments.id,
        wp.array(middles, dtype=wp.vec3, device="cpu"),
        wp.array(rays, dtype=wp.vec3, device="cpu"),
        0.0,
        _REACH,
    ]
    wp.launch(find_faces, dim=len(rays), inputs=inputs, outputs=[found, weights], device="cpu")
    behind = found.numpy()
    a, b, c = at[cloth[behind]].swapaxes(0, 1)
    outside = (behind >= 0) & ((np.cross(b - a, c - a) * rays).sum(axis=1) < 0)
    return float(samples[skin][outside].sum() / samples.sum())


def shares(people: int, distribution: str) -> dict[str, list[float]]:
    """The share of each person, by the name of each garment they wear, and of everyone as `all`."""
    body = load_body()
    renderer = Renderer(body)
    config = SceneConfig(
        views=("sphere",), wardrobe="packs", backgrounds="plain", pose_distribution=distribution
    )
    out: dict[str, list[float]] = {"all": []}
    for index in range(people):
        rendering = renderer.render(sample_scene(config, 0, index, body))
        share = share_outside(rendering)
        worn = rendering.scene.people[0].outfit.worn
        for name in ("all", *(item.name for item in worn if item.kind == "clothes")):
            out.setdefault(name, []).append(share)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--poses", default="uniform", help="--pose-distribution of repogen")
    options = parser.parse_args()
    found = shares(options.people, options.poses)
    print(f"{'% of a person':<24} {'people':>6} {'mean':>7} {'90 %':>7} {'worst':>7}")
    for name, values in sorted(found.items(), key=lambda item: -np.mean(item[1])):
        mean, high, worst = np.mean(values), np.quantile(values, 0.9), np.max(values)
        print(f"{name:<24} {len(values):>6} {100 * mean:7.3f} {100 * high:7.3f} {100 * worst:7.3f}")


if __name__ == "__main__":
    main()
