"""Messages for people stay on one line, whatever they quote."""

import pickle
import re

import pytest

from repogen.errors import UserError, check_between, check_counts, check_range, unknown_choice


@pytest.mark.parametrize(
    "quoted", ["a\nb", "a\r\nb", "\x1b[31m", "\udcff", "\0", "\u2028", "\u202e"]
)
def test_messages_are_one_line_that_can_be_printed(quoted):
    message = str(UserError(f"no file {quoted}; look again"))
    assert message.isprintable()
    assert message.encode().decode() == message
    assert message.startswith("no file ")
    assert message.endswith("; look again")
    assert str(unknown_choice("colour", quoted, ["red"])).isprintable()


def test_plain_messages_stay_as_they_are_in_other_processes_too():
    message = "no  folder /home/Jos\u00e9/\u5e3d\u5b50"
    assert str(pickle.loads(pickle.dumps(UserError(message)))) == message


@pytest.mark.parametrize("value", [-0.001, 1.001, float("nan"), float("inf")])
def test_a_range_holds_its_ends_and_nothing_outside(value):
    check_between("--share", 0, 0, 1)
    check_between("--share", 1, 0, 1)
    with pytest.raises(UserError, match=r"--share -?[0-9.a-z]+ must lie between 0 and 1"):
        check_between("--share", value, 0, 1)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1_000_000, "1000000"), (0.05, "0.05"), (1e6 + 0.5, "1000000.5"), (0.1 + 0.2, "0.3")],
)
def test_numbers_are_written_as_a_person_types_them(value, shown):
    with pytest.raises(UserError, match=f"^--n {re.escape(shown)} must lie between 0 and 0.01$"):
        check_between("--n", value, 0, 0.01)


def test_the_nearest_name_is_suggested():
    names = ["top", "bottom", "side"]
    message = str(unknown_choice("view", "botom", names))
    assert message == ("unknown view 'botom'; choose from top, bottom, side (did you mean bottom?)")
    assert "did you mean" not in str(unknown_choice("view", "xyz", names))


@pytest.mark.parametrize("limits", [(0.5, 0.4), (-0.1, 0.5), (0.5, 1.1), (float("nan"), 0.5)])
def test_a_range_that_is_swapped_or_outside_is_refused(limits):
    check_range("--share", (0.0, 1.0), 0, 1)
    with pytest.raises(UserError, match="--share"):
        check_range("--share", limits, 0, 1)


@pytest.mark.parametrize("limits", [(0, 3), (3, 2), (1, 101)])
def test_counts_that_are_swapped_or_outside_are_refused(limits):
    check_counts("--people", (1, 100), 1, 100)
    with pytest.raises(UserError, match=f"--people {limits[0]} {limits[1]}: two counts"):
        check_counts("--people", limits, 1, 100)
