"""Compile the Warp kernels that ship with the package, for x86-64 processors under Linux.

    python tools/build_kernels.py              # writes them into src/repogen/rendering/data
    python tools/build_kernels.py --out FOLDER

Run it after every change of a kernel; a test says when. The same version of Warp gives the same
bytes on every processor.
"""

import argparse
import os
import shutil
import tempfile
from pathlib import Path

_cache = tempfile.TemporaryDirectory(prefix="repogen-kernels-")
os.environ["WARP_CACHE_PATH"] = _cache.name  # read when Warp starts

from repogen.files import sha256_of  # noqa: E402
from repogen.messages import say  # noqa: E402
from repogen.package_data import CHECKSUMS, package_data_dir  # noqa: E402
from repogen.rendering.loading import MODULES  # noqa: E402
from repogen.warp_setup import SHIPPED, load_modules, wp  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=package_data_dir("rendering"))
    out = parser.parse_args().out
    compiled = Path(wp.config.kernel_cache_dir)
    for shipped in compiled.iterdir():  # copied there when Warp started
        if shipped.is_dir():
            shutil.rmtree(shipped)
    load_modules("cpu", *MODULES)

    for old in out.glob(f"{SHIPPED}*"):
        shutil.rmtree(old)
    folder = out / (SHIPPED + wp.config.version)
    for source in sorted(compiled.glob("*/*")):
        if source.suffix in (".o", ".meta"):
            target = folder / source.parent.name / source.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [f"{sha256_of(path)}  {path.relative_to(out).as_posix()}\n" for path in files]
    (out / CHECKSUMS).write_text("".join(lines))
    say(f"wrote {folder}: {sum(path.stat().st_size for path in files) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
