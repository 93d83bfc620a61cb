"""autograd_lite: reverse-mode automatic differentiation on a tape, for NumPy.

A Variable is a NumPy array that remembers how it was made; the tape remembers in which order; the
backward pass is the tape, read in reverse.
"""

from autograd_lite import errors
from autograd_lite.backward import gradients
from autograd_lite.checking import check_grads
from autograd_lite.comparison import Comparison, compare
from autograd_lite.debugging import debug
from autograd_lite.gradient_report import GradientCheckError, GradientReport
from autograd_lite.primitive import Primitive, composition, primitive
from autograd_lite.recomputing import checkpoint, recomputing
from autograd_lite.rules.indexing import put
from autograd_lite.tape import Scope, Tape, no_grad, scope, tape
from autograd_lite.transforms import (
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    value_and_grad,
    vjp,
)
from autograd_lite.variable import Variable

__version__ = "0.1.0"

__all__ = [
    "Comparison",
    "GradientCheckError",
    "GradientReport",
    "Primitive",
    "Scope",
    "Tape",
    "Variable",
    "check_grads",
    "checkpoint",
    "compare",
    "composition",
    "debug",
    "elementwise_grad",
    "errors",
    "grad",
    "gradients",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "no_grad",
    "primitive",
    "put",
    "recomputing",
    "scope",
    "tape",
    "value_and_grad",
    "vjp",
]
