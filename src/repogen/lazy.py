"""Names of a package that are imported when they are first used."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def lazy_exports(
    package: str, exports: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package, so that importing it stays quick.

    `exports` maps a module, named relative to the package, to the names that it defines, with
    spaces between them.
    """
    modules = {name: module for module, names in exports.items() for name in names.split()}

    def __getattr__(name: str) -> object:
        if name not in modules:
            raise AttributeError(
                f"module {package!r} has no attribute {name!r}", name=name, obj=sys.modules[package]
            )
        return getattr(import_module(f"{package}.{modules[name]}"), name)

    def __dir__() -> list[str]:
        return sorted(modules)

    return __getattr__, __dir__, sorted(modules)
