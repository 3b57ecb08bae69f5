"""Poses are drawn at the joints in the sides' colours, and written under the right names."""

import cv2
import numpy as np
import pytest

from repogen import UserError
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.inference.drawing import draw_poses, frame_writer, joint_colors
from repogen.inference.frames import Frame, MediaFile
from repogen.labels.stick import SIDE_COLORS
from repogen.outputs import OutputFolder


def frame(tmp_path, name, number=-1, size=(96, 64), level=90, rate=12.0):
    shape = (size[1], size[0], 3)
    return Frame(MediaFile(tmp_path / name, name), number, rate, np.full(shape, level, np.uint8))


def pose(scores, at=(100.0, 80.0)):
    return np.column_stack([np.tile(at, (17, 1)), scores])[None]


def test_only_joints_of_the_minimum_score_are_drawn_and_at_their_positions(tmp_path):
    black = np.zeros((160, 200, 3), np.uint8)
    box = np.array([[0, 0, 120, 120]])
    frame_alone = draw_poses(black, pose(np.zeros(17)), box, 0.3)
    for side, joint in (("left", 9), ("right", 10), ("middle", 0)):
        scores = np.eye(17)[joint] * 0.4
        picture = draw_poses(black, pose(scores), box, 0.3)
        weight = picture.max(axis=2).astype(float) * (frame_alone == 0).all(axis=2)
        middle = [np.average(grid, weights=weight) for grid in np.indices(weight.shape)]
        assert middle == pytest.approx([80, 100], abs=0.2)
        assert tuple(picture[80, 100]) == SIDE_COLORS[side]
        # Anti-aliased: the rim is darker.
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 2
        assert (draw_poses(black, pose(scores), box, 0.5) == frame_alone).all()
    assert not black.any()


def test_a_box_is_drawn_where_all_joints_are_weak():
    black = np.zeros((160, 200, 3), np.uint8)
    drawn = draw_poses(black, pose(np.zeros(17)), np.array([[20, 30, 60, 40]]), 0.3).any(axis=2)
    rows, columns = np.nonzero(drawn)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (30, 69, 20, 79)
    assert not drawn[35:65, 25:75].any()


def test_lines_are_wider_for_larger_boxes():
    def area(side):
        joints = np.zeros((1, 17, 3))
        joints[0, 9] = [500, 500, 1]
        return (
            draw_poses(
                np.zeros((1000, 1000, 3), np.uint8), joints, np.array([[0, 0, 50, side]]), 0.5
            )
            .any(axis=2)
            .sum()
        )

    assert area(900) > 2 * area(300) > 2 * area(60) > 0


def test_joint_colors_depend_on_the_side():
    colors = dict(zip(COCO_KEYPOINTS, joint_colors(), strict=True))
    assert [colors[name] for name in ("nose", "left_hip", "right_hip")] == [
        "#3399ff", "#00ff00", "#ff8000",
    ]  # fmt: skip


def test_drawn_images_keep_their_folders_and_names(tmp_path):
    names = ["x/a.jpg", "y/a.jpg", "x/a.png", "x/a.JPEG"]
    with frame_writer(OutputFolder(tmp_path, "predict"), tmp_path / "drawn") as draw:
        for level, name in enumerate(names):
            draw(frame(tmp_path, name), np.full((8, 9, 3), 40 * level, np.uint8))
    written = {
        p.relative_to(tmp_path / "drawn").as_posix(): round(cv2.imread(str(p)).mean() / 40)
        for p in (tmp_path / "drawn").rglob("*.*")
    }
    assert written == {"x/a.jpg": 0, "y/a.jpg": 1, "x/a.png.jpg": 2, "x/a.JPEG": 3}


@pytest.mark.parametrize("rate", [12.0, 23.976, 29.97, 60.0])
def test_a_video_keeps_its_frames_and_rate(tmp_path, rate):
    levels = [10, 60, 110, 160, 210]
    with frame_writer(OutputFolder(tmp_path, "predict"), tmp_path / "drawn") as draw:
        for number, level in enumerate(levels):
            one = frame(tmp_path, "w.avi", number, level=level, rate=rate)
            draw(one, one.image)
    video = cv2.VideoCapture(str(tmp_path / "drawn/w.avi.mp4"))
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(rate, abs=1e-3)
    seen = []
    while (read := video.read())[0]:
        assert read[1].shape == (64, 96, 3)
        seen.append(float(read[1].mean()))
    assert seen == pytest.approx(levels, abs=6)


def test_several_videos_of_odd_size_are_written(tmp_path):
    with frame_writer(OutputFolder(tmp_path, "predict"), tmp_path / "drawn") as draw:
        for name, count in (("a.mp4", 3), ("b/a.mp4", 2)):
            for number in range(count):
                one = frame(tmp_path, name, number, size=(97, 65))
                draw(one, one.image)
    for name, count in (("a.mp4", 3), ("b/a.mp4", 2)):
        video = cv2.VideoCapture(str(tmp_path / "drawn" / name))
        assert video.get(cv2.CAP_PROP_FRAME_COUNT) == count
        assert abs(video.get(cv2.CAP_PROP_FRAME_WIDTH) - 97) <= 1
        assert abs(video.get(cv2.CAP_PROP_FRAME_HEIGHT) - 65) <= 1


def _stopped(folder, first, error):
    with frame_writer(OutputFolder(folder, "predict"), folder) as draw:
        draw(first, first.image)
        raise error


def test_a_stopped_video_leaves_no_file(tmp_path):
    first = frame(tmp_path, "w.mp4", 0)
    with pytest.raises(KeyboardInterrupt):
        _stopped(tmp_path / "drawn", first, KeyboardInterrupt)
    assert list((tmp_path / "drawn").iterdir()) == []


def test_a_failed_write_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    for one in (frame(tmp_path, "a.jpg"), frame(tmp_path, "w.mp4", 0)):
        with (
            pytest.raises(UserError, match="cannot write"),
            frame_writer(OutputFolder(tmp_path / "file", "predict"), tmp_path / "file/d") as draw,
        ):
            draw(one, one.image)

    class Full:
        """OpenCV's writer on a full disk, which reports no error."""

        def __init__(self, *_):
            pass

        def write(self, _):
            pass

        def isOpened(self):
            return True

        release = fourcc = lambda *_: None

    monkeypatch.setattr(cv2, "VideoWriter", Full)
    one = frame(tmp_path, "w.mp4", 0)
    with (
        pytest.raises(UserError, match="only 0 of 1 frames were written"),
        frame_writer(OutputFolder(tmp_path, "predict"), tmp_path / "d") as draw,
    ):
        draw(one, one.image)
    monkeypatch.setattr(Full, "isOpened", lambda _: False)
    with (
        pytest.raises(UserError, match="cannot make an MP4 of"),
        frame_writer(OutputFolder(tmp_path, "predict"), tmp_path / "d") as draw,
    ):
        draw(one, one.image)
