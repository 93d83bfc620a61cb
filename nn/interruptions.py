"""Ctrl-C held back while something must be done as a whole, such as a step of training."""

from __future__ import annotations

import signal
import threading
from typing import Any


class Interruptions:
    """While it is entered, Ctrl-C waits for the end of `with interruptions.whole: …`.

    Between such stretches it comes at once, and what a program does with SIGINT otherwise is done
    in both cases. Entering asks the system, which takes as long as a small step; a stretch costs
    next to nothing. Threads other than the main one are never interrupted, and signals that cannot
    be held back, such as SIGKILL, are not.

    >>> import signal
    >>> done = []
    >>> try:
    ...     with Interruptions() as interruptions, interruptions.whole:
    ...         signal.raise_signal(signal.SIGINT)
    ...         done.append(1)
    ... except KeyboardInterrupt:
    ...     done
    [1]
    """

    def __init__(self) -> None:
        self.whole = _Whole()
        self._before: Any = None

    def __enter__(self) -> Interruptions:
        self._before = None  # what was put back the last time does not count
        if threading.current_thread() is threading.main_thread():
            before = signal.getsignal(signal.SIGINT)
            if callable(before):  # one that is no function raises nothing, or could not be put back
                self.whole.usual = self._before = before
                signal.signal(signal.SIGINT, self.whole.interrupted)
        return self

    def __exit__(self, *_: Any) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)


class _Whole:
    """A stretch that is not interrupted; `usual` is what happens outside of one."""

    usual: Any = None

    def __init__(self) -> None:
        self._inside = False
        self._received: tuple[Any, ...] = ()

    def interrupted(self, *received: Any) -> None:
        if self._inside:
            self._received = received
        else:
            self.usual(*received)

    def __enter__(self) -> None:
        self._inside = True

    def __exit__(self, *_: Any) -> None:
        self._inside = False
        if self._received:
            received, self._received = self._received, ()
            self.usual(*received)
