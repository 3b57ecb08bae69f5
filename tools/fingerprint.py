"""Hashes of what the command line writes, to show that a change of the code changes no byte.

    python tools/fingerprint.py WORK --out before.json     # at one commit
    python tools/fingerprint.py WORK --against before.json # at another

WORK is a folder that does not exist yet; give the same path both times, since reports hold paths.
It takes about four minutes on two cores.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import cv2

DATASETS = {
    "painted": "--images 60 --views top bottom front --wardrobe painted --backgrounds builtin "
    "--seed 1",
    "rare-views": "--images 60 --preset rare-views --wardrobe packs --seed 2",
    "ceiling-fisheye": "--images 12 --preset ceiling-fisheye --seed 3 "
    "--write depth masks parts normals stick",
    "shards": "--images 64 --image-size 256 --format webdataset --shard-images 8 --seed 4 "
    "--keypoints wholebody",
    "measured": "--images 16 --image-size 256 --poses core --poses-share 0.5 --poses-noise 5 "
    "--max-intersection 0.02 --ages children elders --occluded drop --crop 1.25 --framing paper "
    "--occluders 0 2 --seed 5",
}


def repogen(*words: str) -> str:
    """Run one command of this installation; returns what it prints."""
    command = [sys.executable, "-m", "repogen", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


RENAMED = {
    "things": "occluders",
    "cloth": "fabric",
    "cloths": "fabrics",
    "top_cloth": "top_fabric",
    "bottom_cloth": "bottom_fabric",
    "draws": "bootstrap_samples",
}
"""Keys of scenes (format 3 to 4) and of reports that were renamed on purpose, old to new."""


def canonical(value: Any) -> Any:
    """JSON data with today's names for keys, without the number of the scenes' format."""
    if isinstance(value, dict):
        out = {RENAMED.get(key, key): canonical(v) for key, v in value.items()}
        if out.get("kind") == "place":
            out["kind"] = "room"
        return {key: v for key, v in out.items() if key != "format"}
    return [canonical(v) for v in value] if isinstance(value, list) else value


def contents(path: Path) -> bytes:
    """A file's bytes, without the SHA-256 of run.json, which holds versions; of scenes, alone or in
    a shard, what `canonical` makes of them."""
    if path.name == "scenes.jsonl":
        lines = path.read_text().splitlines()
        return "\n".join(json.dumps(canonical(json.loads(line))) for line in lines).encode()
    if path.suffix != ".tar":
        return re.sub(rb',"run_sha256":"[0-9a-f]*"', b"", path.read_bytes())
    out = []
    with tarfile.open(path) as tar:
        for member in tar:
            data = tar.extractfile(member).read()  # type: ignore[union-attr]
            if member.name.endswith(".json"):
                record = json.loads(data)
                if isinstance(record.get("scene"), str):
                    record["scene"] = json.loads(record["scene"])
                data = json.dumps(canonical(record)).encode()
            out += [member.name.encode(), data]
    return b"".join(out)


def folder_hashes(folder: Path) -> dict[str, str]:
    """One hash for each kind of file of a dataset: its bytes, in order of the names."""
    groups: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if (
            path.is_file()
            and path.name not in ("run.json", "shards.json", "checksums.sha256")
            and ".parts" not in path.parts
        ):
            kind = path.parent if path.suffix in (".jpg", ".png", ".tar") else path
            groups.setdefault(kind.relative_to(folder.parent).as_posix(), []).append(path)
    out = {}
    for kind, paths in groups.items():
        out[kind] = sha256(b"".join(contents(path) for path in paths))
        if paths[0].suffix == ".jpg":
            pixels = [cv2.imread(str(path)).tobytes() for path in paths]
            out[kind + " (pixels)"] = sha256(b"".join(pixels))
    return out


def fingerprint(work: Path) -> dict[str, str]:
    """Generate, train and evaluate in `work`; returns hashes by what they are of."""
    out = {}
    for name, words in DATASETS.items():
        repogen("generate", str(work / name), *words.split())
        out |= folder_hashes(work / name)
        print(f"{name} done", file=sys.stderr)
    people, run = f"s={work / 'painted'}", work / "run"
    options = [
        "--model",
        "tiny",
        "--batch-size",
        "6",
        "--epochs",
        "1",
        "--warmup",
        "2",
        "--workers",
        "1",
    ]
    repogen("train", "--train", people, "--val", people + ":8", *options, "--out", str(run))
    out["weights after 10 steps"] = sha256((run / "last.safetensors").read_bytes())
    report = work / "report.json"
    repogen("evaluate", "--weights", str(run), "--data", people, "--out", str(report))
    data = canonical(json.loads(report.read_text()))
    out["evaluation report"] = sha256(json.dumps(data, sort_keys=True).encode())
    return out


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--out", type=Path, help="write the hashes as JSON")
    parser.add_argument("--against", type=Path, help="compare with hashes written before")
    options = parser.parse_args()
    options.work.mkdir(parents=True)
    hashes = fingerprint(options.work.resolve())
    if options.out:
        options.out.write_text(json.dumps(hashes, indent=1) + "\n")
    before = json.loads(options.against.read_text()) if options.against else hashes
    differ = 0
    for what in {**before, **hashes}:
        same = before.get(what) == hashes.get(what)
        differ += not same
        print(
            f"{hashes.get(what, 'missing'):16}  {what}"
            + ("" if same else f"  WAS {before.get(what)}")
        )
    print(f"{len(hashes)} hashes, {differ} differ")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
