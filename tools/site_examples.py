"""For the site's Python reference: examples in docstrings (`>>>`) become blocks of code."""

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"((?:^|\n\n)>>> .*?)(?=\n\n|$)", re.DOTALL)
FLAG = re.compile(r" *# doctest: .*")


class FenceExamples(griffe.Extension):
    """Fences the examples of every docstring."""

    def on_object(self, *, obj: griffe.Object, **_keywords: Any) -> None:
        """Rewrite the object's docstring."""
        if obj.docstring:
            obj.docstring.value = fenced(obj.docstring.value)


def fenced(text: str) -> str:
    """The text with a fence around each paragraph of `>>>`, without the flags of doctest."""
    examples = FLAG.sub("", text)
    return EXAMPLE.sub(lambda found: f"\n\n```pycon\n{found[1].strip()}\n```", examples)
