"""Input files are listed under unique names and read as frames; unreadable ones are reported."""

import numpy as np
import pytest

from repogen import UserError
from repogen.inference.frames import list_media, read_frames


def names(inputs, out):
    root, sources = list_media(tuple(inputs), out)
    return root, [s.name for s in sources]


def test_names_are_paths_below_the_folder_that_holds_all_inputs(tmp_path, picture):
    a, b = picture(tmp_path / "x/a.jpg"), picture(tmp_path / "y/z/a.jpg")
    assert names([a, b], tmp_path / "o") == (tmp_path, ["x/a.jpg", "y/z/a.jpg"])
    assert names([tmp_path / "y"], tmp_path / "o") == (tmp_path / "y", ["z/a.jpg"])
    assert names([b], tmp_path / "o") == (tmp_path / "y/z", ["a.jpg"])


def test_a_file_is_listed_once_and_the_output_folder_not_at_all(
    tmp_path, picture, film, monkeypatch
):
    a = picture(tmp_path / "in/a.PNG")
    film(tmp_path / "in/b.avi", [1])
    picture(tmp_path / "in/out/drawn/a.jpg")
    (tmp_path / "in/notes.txt").write_text("none")
    monkeypatch.chdir(tmp_path)
    _, sources = list_media((a, tmp_path / "in", a.relative_to(tmp_path)), tmp_path / "in/out")
    assert [(s.name, s.is_video) for s in sources] == [("a.PNG", False), ("b.avi", True)]
    with pytest.raises(UserError, match=r"no images or videos outside --out"):
        list_media((tmp_path / "in/out",), tmp_path / "in/out")


@pytest.mark.parametrize("what", ["absent.jpg", "empty"])
def test_missing_and_empty_inputs_are_errors(tmp_path, what):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=what):
        list_media((tmp_path / what,), tmp_path / "o")
    with pytest.raises(UserError, match="name images, folders or videos"):
        list_media((), tmp_path / "o")


def test_frames_are_in_order_with_numbers_and_rate(tmp_path, picture, film):
    picture(tmp_path / "a.png", 30, 20, level=7)
    film(tmp_path / "b.avi", [10, 200], rate=23.976)
    _, sources = list_media((tmp_path,), tmp_path / "o")
    frames = list(read_frames(sources, []))
    assert [(f.source.name, f.number) for f in frames] == [
        ("a.png", -1),
        ("b.avi", 0),
        ("b.avi", 1),
    ]
    assert [f.image.shape for f in frames] == [(20, 30, 3), (64, 96, 3), (64, 96, 3)]
    assert [round(float(f.image.mean())) for f in frames] == pytest.approx([7, 10, 200], abs=3)
    assert frames[1].rate == pytest.approx(23.976, abs=1e-3)


@pytest.mark.parametrize(("name", "words"), [("t.jpg", "as an image"), ("t.mp4", "as a video")])
def test_a_broken_file_is_an_error_only_if_it_is_the_only_input(tmp_path, name, words, picture):
    (tmp_path / name).write_text("no picture")
    picture(tmp_path / "good.png")
    with pytest.raises(UserError, match=words):
        list(read_frames(list_media((tmp_path / name,), tmp_path / "o")[1], []))
    broken = []
    frames = list(read_frames(list_media((tmp_path,), tmp_path / "o")[1], broken))
    assert [f.source.name for f in frames] == ["good.png"]
    assert [s.name for s in broken] == [name]


def test_a_truncated_video_gives_its_readable_frames(tmp_path, film, capfd):
    path = film(tmp_path / "a.avi", [0] * 20, grain=np.random.default_rng(0))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    frames = list(read_frames(list_media((path,), tmp_path / "o")[1], []))
    assert 0 < len(frames) < 20
    assert f"ends after {len(frames)} of 20 frames" in capfd.readouterr().err


def test_photographs_are_rotated_by_their_exif_orientation(tmp_path, write_turned):
    write_turned(tmp_path / "a.jpg", np.zeros((20, 40, 3), np.uint8))
    (frame,) = read_frames(list_media((tmp_path,), tmp_path / "o")[1], [])
    assert frame.image.shape == (40, 20, 3)
