"""What a run tells TensorBoard."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from repogen.files import cannot_write


class Board:
    """Writes a run's epochs into a folder, from a step on: what a stopped run wrote there after
    it is void. Raises `UserError` where the folder cannot be written."""

    def __init__(self, folder: Path, step: int) -> None:
        self._folder, self._step = folder, step
        with self._written():
            self._writer = SummaryWriter(str(folder), purge_step=step)

    def note(self, entry: dict[str, Any], losses: list[float]) -> None:
        """An epoch: its entry in the log, and the loss of each step."""
        with self._written():
            for loss in losses:
                self._writer.add_scalar("loss", loss, self._step)
                self._step += 1
            # At the epoch's last step: a run that goes on voids the next one.
            for name, scores in entry.get("val", {}).items():
                for score, value in scores.items():
                    self._writer.add_scalar(f"{name}/{score}", value, self._step - 1)
            self._writer.add_scalar("learning rate", entry["lr"], self._step - 1)
            self._writer.flush()

    def close(self) -> None:
        with self._written():
            self._writer.close()

    @contextmanager
    def _written(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise cannot_write(self._folder, error) from error
