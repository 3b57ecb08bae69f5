"""Logging of a run to TensorBoard."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from repogen.files import cannot_write


class TensorBoardLogger:
    """Writes the losses and scores of a run into a folder, from `step` on.

    TensorBoard discards what a stopped run wrote at later steps. Raises `UserError` where the
    folder cannot be written.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self._folder, self._step = folder, step
        with self._write_errors():
            self._writer = SummaryWriter(str(folder), purge_step=step)

    def log_epoch(self, entry: dict[str, Any], losses: list[float]) -> None:
        """Log an epoch: its entry of log.jsonl and the loss of each step."""
        with self._write_errors():
            for loss in losses:
                self._writer.add_scalar("loss", loss, self._step)
                self._step += 1
            # At the last step of the epoch: a resumed run discards the step after it.
            for name, scores in entry.get("val", {}).items():
                for score, value in scores.items():
                    self._writer.add_scalar(f"{name}/{score}", value, self._step - 1)
            self._writer.add_scalar("learning rate", entry["lr"], self._step - 1)
            self._writer.flush()

    def close(self) -> None:
        """Flush and close the event file."""
        with self._write_errors():
            self._writer.close()

    @contextmanager
    def _write_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise cannot_write(self._folder, error) from error
