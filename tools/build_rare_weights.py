"""Makes rare-lightning or rare-thunder of src/repogen/models/data: MoveNet tuned on generated
people.

    cd experiments
    python pretrained.py --arms "synthetic, twice the steps" --out OUT --real … --steep …
    python pretrained.py --arms synthetic --model movenet-thunder --out OUT --real … --steep …
    cd ..
    python tools/build_rare_weights.py lightning OUT/runs/movenet-lightning/synthetic-twice-*
    python tools/build_rare_weights.py thunder OUT/runs/movenet-thunder/synthetic-seed*

Writes the mean of the runs' blended weights, in half precision: rare-….safetensors, rare-….onnx and
their lines of SHA256SUMS. The same runs give the same bytes; training gives the same ones on the
same processor.
"""

import argparse
from pathlib import Path

import onnx
import torch
from safetensors.torch import load_file, save

from repogen.files import sha256_of_bytes
from repogen.models.packaged import packaged_onnx, packaged_weights
from repogen.package_data import CHECKSUMS, package_data_dir


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("base", choices=("lightning", "thunder"), help="what was tuned")
    parser.add_argument("runs", type=Path, nargs="+", help="runs of repogen train --blend")
    parser.add_argument("--out", type=Path, default=package_data_dir("models"))
    args = parser.parse_args()
    weights = mean([load_file(run / "blend.safetensors") for run in args.runs])
    stored = save(weights, {"model": f"movenet-{args.base}"})
    name = f"rare-{args.base}"
    graph = with_weights(args.base, f"{name}.safetensors", stored)
    for file, data in ((f"{name}.safetensors", stored), (f"{name}.onnx", graph)):
        (args.out / file).write_bytes(data)
        list_checksum(args.out / CHECKSUMS, file, sha256_of_bytes(data))
        print(f"{file} {len(data):,} bytes")


def mean(weights: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """The mean of networks' weights, in half precision."""
    return {
        key: torch.stack([one[key].double() for one in weights]).mean(dim=0).half()
        for key in weights[0]
    }


def with_weights(name: str, file: str, stored: bytes) -> bytes:
    """The ONNX file of a packaged network with the weights of another safetensors file, which must
    have them at the same places."""
    before = packaged_weights(name).read_bytes()
    places = slice(0, 8 + int.from_bytes(before[:8], "little"))
    if stored[places] != before[places]:
        raise SystemExit(f"{file} has another layout than {packaged_weights(name).name}")
    model = onnx.load(packaged_onnx(name), load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = file
    return model.SerializeToString(deterministic=True)


def list_checksum(path: Path, file: str, digest: str) -> None:
    """Add a file to the list of checksums, or exchange its digest."""
    lines = [line for line in path.read_text().splitlines() if not line.endswith(f"  {file}")]
    path.write_text("".join(f"{line}\n" for line in [*lines, f"{digest}  {file}"]))


if __name__ == "__main__":
    main()
