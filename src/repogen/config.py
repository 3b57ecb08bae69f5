"""What all configs share: made of keywords or tables, in groups, each value checked.

A config is a frozen dataclass of options. A field whose type is a config is a group of options.
"""

import ast
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import MISSING, dataclass, fields, replace
from functools import cache, wraps
from itertools import pairwise
from numbers import Integral, Real
from os import PathLike, fspath
from pathlib import Path
from reprlib import repr as shortened
from types import NoneType, UnionType
from typing import (
    Any,
    ClassVar,
    Literal,
    ParamSpec,
    Self,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from repogen.errors import UserError, closest, unknown_choice


class _Signature:
    """The options of a config as keywords, those of its groups included, for help and editors."""

    def __get__(self, instance: object, kind: "type[Config]") -> inspect.Signature:
        groups = groups_of(kind)
        options = {
            field.name: inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if field.default is MISSING else field.default,
                annotation=field.type,
            )
            for config in (kind, *groups.values())
            for field in fields(config)
            if not (config is kind and field.name in groups)
        }
        return inspect.Signature(list(options.values()))


@dataclass(frozen=True, init=False)
class Config:
    """Base of the configs: frozen dataclasses, declared with `init=False`.

    The keywords are fields, or options of the groups: `SceneConfig(views="top")` is
    `SceneConfig(camera=CameraConfig(views=("top",)))`. A group may also be a table:
    `camera={"views": "top"}`. An option wins over its group. Options that are not given have their
    defaults. A path may be text, and several values may be a list, or one value.

    Raises `UserError`, one line, for an unknown keyword, a value of another type, and what `check`
    and `check_files` refuse.
    """

    _field_docs: ClassVar[dict[str, str]] = {}
    __signature__ = _Signature()

    def __init__(self, /, **keywords: object) -> None:
        try:
            self._set(_values(type(self), keywords))
            self.check_files()
        except OSError as error:  # a name that is too long, a folder that cannot be read
            raise UserError(f"cannot read {error.filename}: {error.strerror}") from error

    @classmethod
    def of_values(cls, values: Mapping[str, Any]) -> Self:
        """The config with these values of its fields. No file that they name is opened: they may be
        a stranger's (`repogen.records`)."""
        config = cls.__new__(cls)
        config._set(values)
        return config

    def _set(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)
        self.check()

    def __init_subclass__(cls) -> None:
        cls._field_docs = cls._field_docs | _docs_of_fields(cls)
        groups = [kind for _, kind in _annotated_groups(cls)]
        options = {name: text for kind in groups for name, text in kind._field_docs.items()}
        lines = [inspect.cleandoc(cls.__doc__ or "")]
        # tyro takes the last text of a name: group and option may have the same one.
        for title, docs in (("Args:", options), ("Attributes:", cls._field_docs)):
            if docs:
                lines += ["", title, *(f"    {name}: {text}" for name, text in docs.items())]
        cls.__doc__ = "\n".join(lines)

    def __getstate__(self) -> dict[str, Any]:
        """The fields only: a copy reads the files that its options name again."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def check(self) -> None:
        """Raise `UserError` for values out of range, and options that exclude each other. Opens no
        file."""

    def check_files(self) -> None:
        """Raise `UserError` for files and folders that are not there or cannot be used."""


AnyConfig = TypeVar("AnyConfig", bound=Config)


def config_from_keywords(
    kind: type[AnyConfig], config: AnyConfig | None, keywords: Mapping[str, object]
) -> AnyConfig:
    """The config of a call that takes either `config` or keywords.

    Raises `UserError` if both are given, and as `Config` does.
    """
    if config is None:
        return kind(**keywords)
    if not isinstance(config, kind):
        raise _wrong("config", config, f"a {kind.__name__}")
    if keywords:
        raise UserError(
            f"give a {kind.__name__} or keywords, not both: {', '.join(keywords)} besides a config"
        )
    return config


P = ParamSpec("P")
R = TypeVar("R")


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """The function, its arguments converted to their annotated types, as the options of configs.

    A path may be text. Raises `UserError`, one line, for a value of another type. Arguments whose
    annotation is no plain type, tuple, literal or class are passed on as they are.
    """
    signature = inspect.signature(function)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = signature.bind(*args, **kwargs)
        hints = get_type_hints(function)
        for name, value in bound.arguments.items():
            variadic = signature.parameters[name].kind in (
                inspect.Parameter.VAR_POSITIONAL,
                inspect.Parameter.VAR_KEYWORD,
            )
            if not variadic and _is_checkable(hints[name]):
                bound.arguments[name] = _converted(name, value, hints[name])
        return function(*bound.args, **bound.kwargs)

    return call


def _is_checkable(hint: Any) -> bool:
    if get_origin(hint) in (Union, UnionType, tuple):
        return all(_is_checkable(part) for part in get_args(hint) if part is not ...)
    is_protocol = getattr(hint, "_is_protocol", False)
    return get_origin(hint) is Literal or (isinstance(hint, type) and not is_protocol)


def config_from_table(kind: type[AnyConfig], table: Mapping[str, object], where: str) -> AnyConfig:
    """The config in the table of a TOML file, which holds a table for each group.

    Raises `UserError`, beginning with `where`, as `Config` does, and for an option outside of its
    group's table.
    """
    groups = groups_of(kind)
    try:
        for name, value in table.items():
            if name in groups and isinstance(value, Mapping):
                continue
            group = _owners(kind).get(name)
            if group is not None:
                raise UserError(f"{name} belongs in the table [{group}]")
        return kind(**table)
    except UserError as error:
        raise UserError(f"{where}: {error}") from error


def merged(*tables: Mapping[str, Any]) -> dict[str, Any]:
    """The tables as one: values of later ones win, group by group."""
    out: dict[str, Any] = {}
    for table in tables:
        for name, value in table.items():
            before = out.get(name)
            nested = isinstance(value, Mapping) and isinstance(before, Mapping)
            out[name] = {**before, **value} if nested else value  # type: ignore[dict-item]
    return out


def flat_options(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """(name, value) of each option in a table of options and groups."""
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from value.items()
        else:
            yield name, value


def groups_of(kind: type[Config]) -> dict[str, type[Config]]:
    """The fields of a config that are groups, with their types."""
    return {
        name: hint
        for name, hint in _hints(kind).items()
        if isinstance(hint, type) and issubclass(hint, Config)
    }


def _hints(kind: type[Config]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _owners(kind: type[Config]) -> dict[str, str]:
    """The group of each option that is in one."""
    return {name: group for group, of in groups_of(kind).items() for name in _hints(of)}


def _values(kind: type[Config], keywords: Mapping[str, object]) -> dict[str, Any]:
    """A value for each field."""
    groups, hints, owners = groups_of(kind), _hints(kind), _owners(kind)
    own: dict[str, object] = {}
    grouped: dict[str, dict[str, object]] = {}
    for name, value in keywords.items():
        is_group = name in groups and isinstance(value, Mapping | Config)
        if is_group or (name in hints and name not in groups):
            own[name] = value
        elif name in groups and any(isinstance(other, Config) for other in keywords.values()):
            # `replace` gives the other groups whole: this one's other options would be lost.
            new = f"{name}=replace(config.{name}, {name}={shortened(value)})"
            raise UserError(f"{name} = {shortened(value)}: {name} is a group, too; give {new}")
        elif name in owners:
            grouped.setdefault(owners[name], {})[name] = value
        elif name in groups:
            raise _wrong(name, value, f"a {groups[name].__name__} or a table of its options")
        else:
            raise _unknown_option(kind, name)
    out = {}
    for field in fields(kind):
        name = field.name
        if name in groups:
            out[name] = _group(name, groups[name], own, grouped.get(name, {}))
        elif name in own:
            out[name] = _converted(name, own[name], hints[name])
        elif field.default is not MISSING:
            out[name] = field.default
        else:
            raise UserError(f"{kind.__name__} needs {name}: {_wanted(hints[name])}")
    return out


def _group(
    name: str, kind: type[Config], own: Mapping[str, object], options: Mapping[str, Any]
) -> Config:
    """The group `name`, from a config or table in `own` and from single options, which win."""
    given = own.get(name, {})
    if isinstance(given, Mapping):
        return kind(**{**given, **options})
    if not isinstance(given, kind):
        raise _wrong(name, given, f"a {kind.__name__}")
    return replace(given, **options) if options else given


def _unknown_option(kind: type[Config], name: str) -> UserError:
    names = [*_hints(kind), *_owners(kind)]
    near = closest(name, names)
    advice = f"did you mean {near}?" if near else f"choose from {', '.join(names)}"
    return UserError(f"{kind.__name__} has no option {name!r}; {advice}")


def _wrong(name: str, value: object, wanted: str) -> UserError:
    return UserError(f"{name} = {shortened(value)} should be {wanted}")


def _converted(name: str, value: object, hint: Any) -> Any:
    """The value of the option `name` as its type; raises `UserError` for another."""
    choices = _choices(hint)
    for word in value if isinstance(value, list | tuple) else [value]:
        if choices and isinstance(word, str) and word not in choices:
            raise unknown_choice(name.replace("_", " "), word, choices)
    try:
        return _structured(value, hint)
    except (TypeError, OverflowError):
        raise _wrong(name, value, _wanted(hint)) from None


def _structured(value: object, hint: Any) -> Any:
    """The value as its type; raises `TypeError` or `OverflowError` for another: "512" is not a
    number, 1.5 not a whole one, and True is neither."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        if value is None and NoneType in parts:
            return None
        if type(value) in parts:  # text stays text where a path or a URL may be given
            return value
        *others, last = [part for part in parts if part is not NoneType]
        for part in others:
            with suppress(TypeError):
                return _structured(value, part)
        return _structured(value, last)
    if origin is tuple:
        several = list(value) if isinstance(value, list | tuple) else None
        if parts[-1] is ...:
            return tuple(
                _structured(v, parts[0]) for v in ([value] if several is None else several)
            )
        if several is None or len(several) != len(parts):
            raise TypeError
        return tuple(_structured(v, part) for v, part in zip(several, parts, strict=True))
    if origin is Literal:
        if not (isinstance(value, str) and value in parts):
            raise TypeError
        return value
    if hint in (str, Path) and isinstance(value, str | PathLike):
        return hint(fspath(value))
    if isinstance(value, bool):
        if hint is bool:
            return value
    elif hint is int and isinstance(value, Integral) and abs(int(value)) <= 2**64:
        return int(value)
    elif hint is float and isinstance(value, Real):
        return float(value)
    elif hint not in (int, float, str, Path) and isinstance(value, hint):
        return value
    raise TypeError(hint)


def _choices(hint: Any) -> tuple[str, ...]:
    """The names that an option, or each of several, is one of."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    if float in get_args(hint):  # a number, too
        return ()
    return next((found for part in get_args(hint) if (found := _choices(part))), ())


def _wanted(hint: Any) -> str:
    """What a value of the type is called in an error."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        kinds = ["None" if part is NoneType else _wanted(part) for part in parts]
        if {Path, str} <= set(parts):
            kinds.remove("text")  # any text is a path
        return " or ".join(kinds)
    if origin is tuple and parts[-1] is ...:
        return f"{_wanted(parts[0])}, or several"
    if origin is tuple:
        return f"{len(parts)} values, each {_wanted(parts[0])}"
    if origin is Literal:
        return f"one of {', '.join(parts)}" if len(parts) > 1 else parts[0]
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
    return names.get(hint) or ("a path" if hint is Path else f"a {hint.__name__}")


def _annotated_groups(kind: type[Config]) -> Iterator[tuple[str, type[Config]]]:
    """Name and type of the groups of a class that is no dataclass yet, its bases' included."""
    for base in reversed(kind.__mro__):
        for name, hint in vars(base).get("__annotations__", {}).items():
            if isinstance(hint, type) and issubclass(hint, Config):
                yield name, hint


def _docs_of_fields(kind: type[Config]) -> dict[str, str]:
    """The docstrings below the fields of a class, which Python does not keep, from its source."""
    classes = {node.name: node for node in _classes_of(kind.__module__)}
    if kind.__name__ not in classes:
        return {}
    return {
        f"{ast.unparse(field.target)} ({ast.unparse(field.annotation)})": " ".join(
            ast.literal_eval(doc.value).split()
        )
        for field, doc in pairwise(classes[kind.__name__].body)
        if isinstance(field, ast.AnnAssign) and isinstance(doc, ast.Expr)
    }


@cache
def _classes_of(module: str) -> list[ast.ClassDef]:
    """The classes of a module that is being imported; none where it has no source, as in a frozen
    program or an interactive session."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (KeyError, OSError, TypeError):
        return []
    return [node for node in tree.body if isinstance(node, ast.ClassDef)]
