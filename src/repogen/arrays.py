"""Types of arrays with their shapes, as in `Float[np.ndarray, "n 3"]`: those of jaxtyping.

Type checkers see jaxtyping's. In a running program they are notes: to import jaxtyping would take a
tenth of a second.
"""

from typing import TYPE_CHECKING, Annotated, Any

if TYPE_CHECKING:
    from jaxtyping import Bool as Bool
    from jaxtyping import Float as Float
    from jaxtyping import Float32 as Float32
    from jaxtyping import Int as Int
    from jaxtyping import Int32 as Int32
    from jaxtyping import Int64 as Int64
    from jaxtyping import Num as Num
    from jaxtyping import UInt8 as UInt8
    from jaxtyping import UInt16 as UInt16
    from jaxtyping import UInt32 as UInt32
    from jaxtyping import UInt64 as UInt64
else:

    class _Kind:
        def __init__(self, name: str) -> None:
            self._name = name

        def __getitem__(self, array_and_shape: tuple[Any, str]) -> Any:
            array, shape = array_and_shape
            return Annotated[array, f"{self._name}, {shape.strip()}"]

    Bool = _Kind("Bool")
    Float = _Kind("Float")
    Float32 = _Kind("Float32")
    Int = _Kind("Int")
    Int32 = _Kind("Int32")
    Int64 = _Kind("Int64")
    Num = _Kind("Num")
    UInt8 = _Kind("UInt8")
    UInt16 = _Kind("UInt16")
    UInt32 = _Kind("UInt32")
    UInt64 = _Kind("UInt64")
