"""An array's attributes and methods that are no operations: facts, and what is refused.

A method that would write into the array is refused: the value of a Variable never changes. One that
gives something other than an array of the tape, a list or bytes, works on an untracked Variable
only: a tracked one would silently leave the tape.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn


def _in_place(name: str, instead: str) -> Callable[..., NoReturn]:
    """A method by which NumPy's arrays write into themselves."""

    def refuse(self: Attributes, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(
            f"{name}: {self.label} is on the tape and its value never changes; {instead}"
        )

    refuse.__name__, refuse.__doc__ = name, f"In NumPy, in place: refused; {instead}."
    return refuse


def _leaving(name: str, instead: str = "") -> Callable[..., Any]:
    """A method whose result is no array of the tape."""

    def call(self: Attributes, *args: Any, **kwargs: Any) -> Any:
        return getattr(self.off_the_tape(name, instead), name)(*args, **kwargs)

    call.__name__, call.__doc__ = name, f"`ndarray.{name}` of the value, if it is untracked."
    return call


class Attributes:
    """What Variable has of an array's attributes, beside operators and operations."""

    __slots__ = ()

    data: Any
    requires_grad: bool

    @property
    def label(self) -> str:
        """What messages call the array."""
        raise AttributeError("label")  # Variable says

    def off_the_tape(self, asked: str, instead: str = "") -> Any:
        """The array, if nothing gets lost by using it as one; TypeError if it is tracked."""
        if self.requires_grad:
            raise TypeError(
                f"{asked}: {self.label} is tracked and would silently leave the tape; use "
                f"{instead or f'.data.{asked}'}"
            )
        return self.data

    # --- facts -----------------------------------------------------------------------------------

    @property
    def nbytes(self) -> int:
        """The bytes that the entries take."""
        return self.data.nbytes  # type: ignore[no-any-return]

    @property
    def itemsize(self) -> int:
        """The bytes that one entry takes."""
        return self.data.itemsize  # type: ignore[no-any-return]

    @property
    def strides(self) -> tuple[int, ...]:
        """The bytes from one entry to the next along each axis."""
        return self.data.strides  # type: ignore[no-any-return]

    @property
    def flags(self) -> Any:
        """How the value lies in memory; it is never writeable."""
        return self.data.flags

    @property
    def base(self) -> None:
        """Always None: whose memory it is does not matter where nobody writes into it."""
        return None

    @property
    def device(self) -> str:
        """Where the value is: "cpu"."""
        return self.data.device  # type: ignore[no-any-return]

    def to_device(self, device: str, /, *, stream: Any = None) -> Any:
        """Itself: NumPy knows the one device "cpu", and raises ValueError for another."""
        self.data.to_device(device, stream=stream)
        return self

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """NumPy: its functions work on Variables."""
        return self.data.__array_namespace__(api_version=api_version)

    # --- what leaves the tape --------------------------------------------------------------------

    tolist = _leaving("tolist", ".data.tolist()")
    tobytes = _leaving("tobytes", ".data.tobytes()")
    tofile = _leaving("tofile")
    dump = _leaving("dump")
    dumps = _leaving("dumps", ".data.dumps()")
    byteswap = _leaving("byteswap")
    getfield = _leaving("getfield")
    __dlpack__ = _leaving("__dlpack__", ".data")
    __dlpack_device__ = _leaving("__dlpack_device__", ".data")

    @property
    def flat(self) -> Any:
        """An iterator over the entries, of an untracked Variable."""
        return self.off_the_tape("flat", ".ravel() to go on, or .data.flat for the values").flat

    @property
    def ctypes(self) -> Any:
        """The memory of the value as C sees it, of an untracked Variable."""
        return self.off_the_tape("ctypes").ctypes

    # --- what writes into the array --------------------------------------------------------------

    fill = _in_place("fill", "np.full_like(x, value) is a new array, x.data = array sets a leaf")
    partition = _in_place("partition", "np.partition(x, kth) gives a partitioned copy")
    put = _in_place("put", "write x = ag.put(x, index, value)")
    resize = _in_place("resize", "x.reshape(shape) or np.resize(x, shape) gives a new Variable")
    setfield = _in_place("setfield", "keep a Variable for every field")
    setflags = _in_place("setflags", "np.array(x.data) is a copy to write into")
    sort = _in_place("sort", "np.sort(x) gives a sorted copy")
