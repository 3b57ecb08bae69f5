"""Options from a TOML file."""

from dataclasses import fields
from pathlib import Path
from reprlib import repr as shortened
from typing import Any

import cattrs

from repogen.errors import UserError, unknown_choice
from repogen.generation.config import GenerateConfig
from repogen.toml_files import read_toml


def read_config(path: Path, option: str = "--config") -> dict[str, Any]:
    """The table of a TOML file, dashes in keys read as underscores.

    Raises `UserError`, naming the `option` that names it, for a file that cannot be read or is no
    TOML.
    """
    return {k.replace("-", "_"): value for k, value in read_toml(path, option).items()}


def config_from_table(table: dict[str, Any], where: str) -> GenerateConfig:
    """The options named in a table, the rest at their defaults.

    Raises `UserError` for an unknown key or a value of another type.
    """
    known = {field.name: field.type for field in fields(GenerateConfig)}
    converter = cattrs.Converter()
    for kind in (int, float, str):
        converter.register_structure_hook(kind, _exactly)
    values = {}
    for key, value in table.items():
        if key not in known:
            raise unknown_choice(f"key in {where}", key, known)
        try:
            values[key] = converter.structure(value, known[key])  # type: ignore[arg-type]
        except Exception as error:
            raise UserError(
                f"{where}: {key} = {shortened(value)} should be {known[key]}"
            ) from error
    return GenerateConfig(**values)


def _exactly(value: Any, kind: type) -> Any:
    """No silent conversions: "512" is no number, 1.5 is no count, true is neither."""
    if isinstance(value, bool) or not isinstance(value, (int, float) if kind is float else kind):
        raise TypeError(kind.__name__)
    if isinstance(value, int) and abs(value) >= 2**63:  # no whole number of TOML
        raise OverflowError(value)
    return kind(value)
