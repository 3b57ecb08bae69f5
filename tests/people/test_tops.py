"""Tops that hang loose, and tops tucked into trousers."""

import numpy as np
import pytest

from repogen.assets.packs import CORE
from repogen.people.garments import fitted_garment, pose_garments
from repogen.people.outfit import Style, WornGarment
from repogen.people.regions import connected
from repogen.people.tailoring import tailored_garment

LOOSE = Style(loose=0.03, drop=0.08)
TUCKED = Style(waist=(0.0, -0.035))
TOPS = ("female_casualsuit01", "female_elegantsuit01", "male_casualsuit02", "male_casualsuit03",
        "male_casualsuit05", "male_elegantsuit01")  # fmt: skip
TUCKABLE = ("male_casualsuit02", "male_casualsuit03", "male_casualsuit04", "male_casualsuit06")


def suit(body, name, style):
    return tailored_garment(body, WornGarment(CORE, "clothes", name, (), style))


def on_average(body, fitted):
    """The garment on the average body before posing, with the mid-hip as on the T-pose; metres."""
    at = pose_garments(body, [fitted], body.average)[0][0].astype(float)
    return at - [0, 0, 0.1585]


def tops_of(fitted):
    """Vertices of pieces that reach the chest."""
    at = fitted.surface.canonical
    piece = connected(fitted.surface.faces, len(at))
    highest = np.full(piece.max() + 1, -np.inf)
    np.maximum.at(highest, piece, at[:, 2])
    return highest[piece] > 0.4


def normals(at, faces):
    a, b, c = at[faces].swapaxes(0, 1)
    return np.cross(b - a, c - a)


@pytest.mark.parametrize("name", TOPS)
def test_loose_tops_are_longer_and_stand_off_the_hips(body, name):
    whole, loose = suit(body, name, Style()), suit(body, name, LOOSE)
    before, after = on_average(body, whole), on_average(body, loose)
    top = tops_of(whole)
    assert after[~top] == pytest.approx(before[~top], abs=1e-6)
    high = before[:, 2] > 0.32
    assert after[high] == pytest.approx(before[high], abs=1e-6)
    hem = before[top, 2].min()
    assert after[top, 2].min() == pytest.approx(hem - LOOSE.drop, abs=0.005)
    low = top & (before[:, 2] < hem + 0.03)
    radius = [np.hypot(at[low, 0], at[low, 1]) for at in (before, after)]
    assert (radius[1] - radius[0]).min() > -1e-6
    assert np.median(radius[1] - radius[0]) > LOOSE.loose


@pytest.mark.parametrize("name", TOPS)
def test_loose_tops_are_not_torn_or_turned_inside_out(body, name):
    whole, loose = suit(body, name, Style()), suit(body, name, LOOSE)
    before, after = on_average(body, whole), on_average(body, loose)
    faces = whole.surface.faces
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]]])
    lengths = [np.linalg.norm(at[edges[:, 0]] - at[edges[:, 1]], axis=1) for at in (before, after)]
    stretch = (lengths[1] / lengths[0])[lengths[0] > 0.008]
    assert np.quantile(stretch, 0.999) < 2.0
    old, new = normals(before, faces), normals(after, faces)
    turned = (old * new).sum(axis=1) < 0
    assert turned.mean() < 0.002, "but for folds of collars and seams"


def test_a_lower_hem_has_the_labels_of_what_is_under_it(body):
    """Hips are seen where a shirt hangs over them."""
    whole, loose = (suit(body, "female_casualsuit01", style) for style in (Style(), LOOSE))
    corners = tops_of(whole)[whole.surface.faces].all(axis=1)
    hips = [(one.surface.face_keypoints[corners] >> 11 & 3 > 0).sum() for one in (whole, loose)]
    assert hips[1] > 1.5 * hips[0]


@pytest.mark.parametrize("name", TUCKABLE)
def test_tucked_tops_end_inside_the_trousers(body, name):
    tucked = suit(body, name, TUCKED)
    at, top = on_average(body, tucked), tops_of(tucked)
    line = np.interp(at[:, 1], (-0.14, 0.11), TUCKED.waist)
    trousers = ~top & (at[:, 2] > -0.15)
    assert (at[trousers, 2] - line[trousers]).max() == pytest.approx(0, abs=2e-3)
    end = top & (np.abs(at[:, 0]) < 0.26) & (at[:, 2] < 0.3)
    assert (at[end, 2] - line[end]).min() == pytest.approx(-0.02, abs=0.01)
    edge = trousers & (at[:, 2] > line - 1e-3)
    angle, radius = np.arctan2(at[:, 1], at[:, 0]), np.hypot(at[:, 0], at[:, 1])
    under = end & (at[:, 2] < line - 0.01)
    around = np.interp(angle[under], angle[edge], radius[edge], period=2 * np.pi)
    assert under.sum() > 20
    assert (radius[under] < around).all()


def test_what_cannot_be_tucked_in_stays_as_it_is(body):
    """One piece, and a dress that is no suit of trousers."""
    whole = fitted_garment(body, CORE, "clothes", "male_casualsuit01")
    assert suit(body, "male_casualsuit01", TUCKED) is whole
    assert suit(body, "shoes01", LOOSE) is fitted_garment(body, CORE, "clothes", "shoes01")
