"""Reading YAML files written by other programs."""

from pathlib import Path
from typing import Any

import yaml

from repogen.errors import UserError, first_line
from repogen.files import read_regular
from repogen.limits import MAX_OPTIONS


class _Yaml(yaml.BaseLoader):
    """Tables, lists and text; tags are ignored, and aliases, which could repeat without end, are
    refused."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.MarkedYAMLError(problem="aliases are not supported", problem_mark=mark)
        return super().compose_node(parent, index)


def read_yaml(path: Path) -> object:
    """The content of a YAML file: tables, lists and text, numbers too.

    Raises `UserError` for a file that cannot be read, is not YAML, or is nested too deeply.
    """
    try:
        text = read_regular(path, MAX_OPTIONS).decode()
        # OpenCV begins with a line that YAML does not know.
        return _Yaml(text.removeprefix("%YAML:1.0")).get_single_data()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except RecursionError as error:
        raise UserError(f"{path} holds lists or tables nested too deeply") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UserError(f"{path} is not a YAML file: line {line}: {error.problem}") from error
    except (ValueError, yaml.YAMLError) as error:
        raise UserError(f"{path} is not a YAML file: {first_line(error)}") from error
