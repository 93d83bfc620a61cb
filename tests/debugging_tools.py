"""What the tests of `ag.debug()` share: the line of the caller, and the message to expect."""

import re
import sys

import numpy as np
import pytest


def here() -> int:
    """The line of the caller."""
    return sys._getframe(1).f_lineno


@pytest.fixture(autouse=True)
def quiet():
    """NumPy's own warnings are not the subject, and would be errors before ag.debug() looks."""
    with np.errstate(all="ignore"):
        yield


def stops(message: str, error: type[Exception] = FloatingPointError):
    """Expect the error with exactly this message; `…` stands for anything."""
    pattern = re.escape(message).replace("…", ".*")
    return pytest.raises(error, match=f"^{pattern}$")
