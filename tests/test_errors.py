"""Messages for people stay on one line, whatever they quote."""

import pickle

import pytest

from repogen.errors import UserError, choose


@pytest.mark.parametrize(
    "quoted", ["a\nb", "a\r\nb", "\x1b[31m", "\udcff", "\0", "\u2028", "\u202e"]
)
def test_messages_are_one_line_that_can_be_printed(quoted):
    message = str(UserError(f"no file {quoted}; look again"))
    assert message.isprintable()
    assert message.encode().decode() == message
    assert message.startswith("no file ")
    assert message.endswith("; look again")
    assert str(choose("colour", quoted, ["red"])).isprintable()


def test_plain_messages_stay_as_they_are_in_other_processes_too():
    message = "no  folder /home/Jos\u00e9/\u5e3d\u5b50"
    assert str(pickle.loads(pickle.dumps(UserError(message)))) == message
