"""autograd_lite: reverse-mode automatic differentiation on a tape, for NumPy.

A Variable is a NumPy array that remembers how it was made; the tape remembers in which order; the
backward pass is the tape, read in reverse.
"""

from autograd_lite import errors
from autograd_lite.backward import gradients
from autograd_lite.checking import Comparison, compare
from autograd_lite.primitive import Primitive, composition, primitive
from autograd_lite.rules.indexing import put
from autograd_lite.tape import Scope, Tape, no_grad, scope, tape
from autograd_lite.variable import Variable

__version__ = "0.1.0"

__all__ = [
    "Comparison",
    "Primitive",
    "Scope",
    "Tape",
    "Variable",
    "compare",
    "composition",
    "errors",
    "gradients",
    "no_grad",
    "primitive",
    "put",
    "scope",
    "tape",
]
