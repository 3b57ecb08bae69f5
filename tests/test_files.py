"""Every file is opened through `repogen.files`, which takes regular files of bounded size only."""

import ast
import re
from pathlib import Path

import pytest

import repogen
from repogen.assets import garments, three_json
from repogen.bodies import smpl_files, smpl_pickle
from repogen.errors import UserError

ROOT = Path(repogen.__file__).parent

OPENERS = re.compile(
    r"open|io\.open|io\.FileIO|os\.open|.*\.(open|read_bytes|read_text)"
    r"|np\.(load|fromfile|loadtxt|genfromtxt|memmap)"
    r"|cv2\.(imread|imreadmulti|imwrite|VideoCapture|VideoWriter|haveImageReader|FileStorage)"
    r"|(.*\.)?(safe_open|load_file|InferenceSession|ZipFile)|torch\.load|tarfile\.open"
    r"|OpenEXR\.File|onnx\.load|shutil\.copy(file|2|tree)?|.*\.imread"
)
"""Calls that open a file."""

SAFE = re.compile(r"open_regular|path_for_library|(io\.)?BytesIO|zipfile\.ZipFile")
"""What may open the file that such a call gets."""

ALLOWED = {
    "files.py": "os.open",  # here
    "warp_setup.py": "open",  # os.devnull
    "streams.py": "os.open|open",  # os.devnull
    "assets/exr.py": "os.open",  # os.devnull
    "assets/panoramas.py": "OpenEXR.File",  # to write
    "pictures.py": "Image.open",  # an open file
    "network.py": "files.open",  # a URL
    "bodies/wholebody.py": "POINTS_FILE.read_text",  # our wheel
    "poses/sampling.py": "(files('repogen.poses') / 'named_poses.json').read_text",
    "poses/bounds.py": "(files('repogen.poses') / 'bounds.toml').read_text",
    "pages/frame.py": "(files('repogen.pages') / name).read_text",
    "visualization/browse.py": "(files('repogen.visualization') / 'browse.js').read_text",
    "assets/makehuman.py": "(files('repogen.assets') / 'makehuman_cc0.json').read_text",
    "picture_checks.py": "cv2.haveImageReader",  # a temporary file
    "coco/decoded.py": "open",  # a temporary file of the process that started this one
    "models/onnx.py": "onnxruntime.InferenceSession",  # the file just exported
}
"""The places that open files of ours in another way."""


def unsafe_calls(source, allowed=None):
    """LINE: CALL of each call that opens a file by its path, other than to write it."""
    found = []
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef | ast.Module):
            continue
        body = [n for child in function.body for n in ast.walk(child)]
        if isinstance(function, ast.Module):
            body = [
                n
                for child in function.body
                if not isinstance(child, ast.FunctionDef | ast.ClassDef)
                for n in ast.walk(child)
            ]
        opened = {
            item.optional_vars.id
            for node in body
            if isinstance(node, ast.With)
            for item in node.items
            if isinstance(item.context_expr, ast.Call)
            and SAFE.fullmatch(ast.unparse(item.context_expr.func))
            and isinstance(item.optional_vars, ast.Name)
        } | {
            node.targets[0].id
            for node in body
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and SAFE.fullmatch(ast.unparse(node.value.func))
            and isinstance(node.targets[0], ast.Name)
        }
        for node in body:
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            given = {keyword.arg for keyword in node.keywords}
            if (
                not OPENERS.fullmatch(name)
                or name in (allowed or "").split("|")
                or "fileobj" in given
            ):
                continue
            arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
            words = [a.value for a in arguments if isinstance(a, ast.Constant)]
            if any(isinstance(word, str) and re.fullmatch("[wax]b?", word) for word in words):
                continue
            inside = isinstance(node.func, ast.Attribute) and node.func.attr == "open"
            subjects = [*node.args[:1], *([node.func.value] if inside else [])]
            if not any(isinstance(s, ast.Name) and s.id in opened for s in subjects):
                found.append(f"{node.lineno}: {name}")
    return sorted(set(found))


@pytest.mark.parametrize(
    "line",
    ["open(p)", "p.open()", "p.open('rb')", "p.read_text()", "np.load(p)", "cv2.imread(str(p))",
     "cv2.VideoCapture(p)", "safe_open(p, 'np')", "zipfile.ZipFile(p)", "torch.load(p)",
     "io.FileIO(p)", "Image.open(p)", "with open_regular(p, 1) as f: np.load(p)"],
)  # fmt: skip
def test_a_call_that_opens_a_file_by_its_path_is_found(line):
    assert unsafe_calls(f"def f(p):\n    {line}")


def test_safe_calls_are_accepted():
    source = "def f(p):\n    with open_regular(p, 9) as whole, zipfile.ZipFile(whole) as archive:\n"
    assert not unsafe_calls(f"{source}        archive.read('a')\n    p.open('wb')")


@pytest.mark.parametrize(
    "path", sorted(ROOT.rglob("*.py")), ids=lambda p: p.relative_to(ROOT).as_posix()
)
def test_files_are_opened_through_open_regular(path):
    allowed = ALLOWED.get(path.relative_to(ROOT).as_posix())
    assert not unsafe_calls(path.read_text(), allowed), "use repogen.files.open_regular"


@pytest.mark.parametrize(
    "read",
    [
        garments.read_garment, three_json.read_model, lambda p: smpl_files._read_npz(p, ()),
        lambda p: smpl_pickle.read_pickled_arrays(p, ()),
    ],
    ids=["garment", "three.js", "SMPL npz", "SMPL pickle"],
)  # fmt: skip
def test_a_file_that_cannot_be_opened_is_not_called_damaged(tmp_path, read):
    with pytest.raises(UserError, match=r"cannot read .*gone: No such file or directory$"):
        read(tmp_path / "gone")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match=r"cannot read .*folder: "):
        read(tmp_path / "folder")
