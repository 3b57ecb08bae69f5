"""Undo and redo."""

from typing import Generic, TypeVar

T = TypeVar("T")

_SECONDS = 1.5
"""Changes of one slider or handle within this time are one step."""

_MOST = 500
"""Steps that are kept."""


class History(Generic[T]):
    """Past states, the present one, and states that were undone."""

    def __init__(self, state: T) -> None:
        self._past: list[T] = []
        self._future: list[T] = []
        self._key: object = None
        self._time = -_SECONDS
        self.now = state

    def push(self, state: T, key: object, seconds: float) -> None:
        """A new state. One with the `key` of the last one, soon after it, takes its place;
        `seconds` is the time of a clock."""
        if state == self.now:
            return
        if key is None or key != self._key or seconds - self._time > _SECONDS:
            self._past = [*self._past[1 - _MOST :], self.now]
        self._future = []
        self._key, self._time, self.now = key, seconds, state

    def undo(self) -> bool:
        """Go one step back; false where there is none."""
        return self._move(self._past, self._future)

    def redo(self) -> bool:
        """Go one step forward again; false where there is none."""
        return self._move(self._future, self._past)

    def drop(self) -> None:
        """Go one step back for good: that step was refused."""
        if self.undo():
            self._future.pop()

    def _move(self, source: list[T], target: list[T]) -> bool:
        self._key = None
        if not source:
            return False
        target.append(self.now)
        self.now = source.pop()
        return True
