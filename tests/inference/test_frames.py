"""Files become pictures, each with a name of its own; what cannot be read is told."""

import numpy as np
import pytest

from repogen import UserError
from repogen.inference.frames import list_sources, read_frames


def names(inputs, out):
    root, sources = list_sources(tuple(inputs), out)
    return root, [s.name for s in sources]


def test_names_are_below_the_folder_that_holds_all(tmp_path, picture):
    a, b = picture(tmp_path / "x/a.jpg"), picture(tmp_path / "y/z/a.jpg")
    assert names([a, b], tmp_path / "o") == (tmp_path, ["x/a.jpg", "y/z/a.jpg"])
    assert names([tmp_path / "y"], tmp_path / "o") == (tmp_path / "y", ["z/a.jpg"])
    assert names([b], tmp_path / "o") == (tmp_path / "y/z", ["a.jpg"])


def test_a_file_comes_once_and_results_do_not_come_in(tmp_path, picture, film, monkeypatch):
    a = picture(tmp_path / "in/a.PNG")
    film(tmp_path / "in/b.avi", [1])
    picture(tmp_path / "in/out/drawn/a.jpg")
    (tmp_path / "in/notes.txt").write_text("none")
    monkeypatch.chdir(tmp_path)
    _, sources = list_sources((a, tmp_path / "in", a.relative_to(tmp_path)), tmp_path / "in/out")
    assert [(s.name, s.video) for s in sources] == [("a.PNG", False), ("b.avi", True)]
    with pytest.raises(UserError, match=r"no images or videos outside --out"):
        list_sources((tmp_path / "in/out",), tmp_path / "in/out")


@pytest.mark.parametrize("what", ["absent.jpg", "empty"])
def test_nothing_to_look_at_is_an_error(tmp_path, what):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=what):
        list_sources((tmp_path / what,), tmp_path / "o")
    with pytest.raises(UserError, match="name images, folders or videos"):
        list_sources((), tmp_path / "o")


def test_frames_come_in_order_with_numbers_and_rate(tmp_path, picture, film):
    picture(tmp_path / "a.png", 30, 20, level=7)
    film(tmp_path / "b.avi", [10, 200], rate=23.976)
    _, sources = list_sources((tmp_path,), tmp_path / "o")
    frames = list(read_frames(sources, []))
    assert [(f.source.name, f.number) for f in frames] == [
        ("a.png", -1),
        ("b.avi", 0),
        ("b.avi", 1),
    ]
    assert [f.picture.shape for f in frames] == [(20, 30, 3), (64, 96, 3), (64, 96, 3)]
    assert [round(float(f.picture.mean())) for f in frames] == pytest.approx([7, 10, 200], abs=3)
    assert frames[1].rate == pytest.approx(23.976, abs=1e-3)


@pytest.mark.parametrize(("name", "words"), [("t.jpg", "as an image"), ("t.mp4", "as a video")])
def test_what_is_broken_is_an_error_only_if_alone(tmp_path, name, words, picture):
    (tmp_path / name).write_text("no picture")
    picture(tmp_path / "good.png")
    with pytest.raises(UserError, match=words):
        list(read_frames(list_sources((tmp_path / name,), tmp_path / "o")[1], []))
    broken = []
    frames = list(read_frames(list_sources((tmp_path,), tmp_path / "o")[1], broken))
    assert [f.source.name for f in frames] == ["good.png"]
    assert [s.name for s in broken] == [name]


def test_a_video_that_breaks_off_gives_what_is_there(tmp_path, film, capfd):
    path = film(tmp_path / "a.avi", [0] * 20, grain=np.random.default_rng(0))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    frames = list(read_frames(list_sources((path,), tmp_path / "o")[1], []))
    assert 0 < len(frames) < 20
    assert f"ends after {len(frames)} of 20 frames" in capfd.readouterr().err


def test_photographs_are_turned_as_their_file_says(tmp_path, write_turned):
    write_turned(tmp_path / "a.jpg", np.zeros((20, 40, 3), np.uint8))
    (frame,) = read_frames(list_sources((tmp_path,), tmp_path / "o")[1], [])
    assert frame.picture.shape == (40, 20, 3)
