"""`preview`: images that open, and a self-contained page."""

import re

import cv2
import pytest

from repogen import GenerateConfig, generate, info, preview


def test_preview_writes_a_sheet_figures_and_one_page(tmp_path, body):
    pytest.importorskip("matplotlib")
    root = generate(
        tmp_path / "a <b> & c",
        GenerateConfig(images=5, image_size=96, workers=1, backgrounds="plain", views=("sphere",)),
    )
    page = preview(root, images=4, columns=2)
    sheet = cv2.imread(str(page.parent / "sheet.png"))
    assert sheet.shape == (512, 512, 3)
    assert sheet.std() > 10
    for name in ("views", "angles", "boxes", "visibility"):
        assert cv2.imread(str(page.parent / f"{name}.png")) is not None
    text = page.read_text()
    assert "<b>" not in text, "names are escaped"
    assert set(re.findall(r'(?:src|href)="(?!data:|#)([^"]*)', text)) == {"browse.html"}
    assert "people" in info(root)


def test_captions_say_the_view_by_the_world_and_by_the_body(tmp_path, body, monkeypatch):
    """The camera above a handstand is below by the axes of the body."""
    root = generate(
        tmp_path / "out",
        GenerateConfig(
            images=1, image_size=96, workers=1, backgrounds="plain", pose="handstand",
            elevation=(80, 85), azimuth=(0, 0),
        ),
    )  # fmt: skip
    lines, put = [], cv2.putText
    monkeypatch.setattr(
        cv2, "putText", lambda image, text, *more: (lines.append(text), put(image, text, *more))
    )
    preview(root)
    first, second = lines
    assert re.fullmatch(r"1 topbottom: el 8[0-5] az 0", first)
    assert re.fullmatch(r"by the body: el -8[0-5] az -?\d+", second)


def test_captions_of_upright_people_have_one_line(tmp_path, body, monkeypatch):
    config = GenerateConfig(images=1, image_size=96, workers=1, backgrounds="plain")
    root = generate(tmp_path / "out", config)
    lines, put = [], cv2.putText
    monkeypatch.setattr(
        cv2, "putText", lambda image, text, *more: (lines.append(text), put(image, text, *more))
    )
    preview(root)
    assert len(lines) == 1
