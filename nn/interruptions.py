"""Ctrl-C held back while something must be done as a whole, such as a step of training."""

from __future__ import annotations

import signal
import threading
from typing import Any


class Uninterrupted:
    """With it, Ctrl-C waits: `with Uninterrupted(): …` raises KeyboardInterrupt at the end.

    What a program does with SIGINT otherwise is done at the end, too. One may stand in another: it
    is the end of the outer one that counts. Threads other than the main one are never interrupted,
    and signals that cannot be held back, such as SIGKILL, are not.

    >>> import signal
    >>> done = []
    >>> try:
    ...     with Uninterrupted():
    ...         signal.raise_signal(signal.SIGINT)
    ...         done.append(1)
    ... except KeyboardInterrupt:
    ...     done
    [1]
    """

    def __enter__(self) -> None:
        self._received: list[tuple[Any, Any]] = []
        self._before: Any = None
        if threading.current_thread() is not threading.main_thread():
            return
        before = signal.getsignal(signal.SIGINT)
        # one that is no function raises nothing, or could not be put back
        if callable(before) and getattr(before, "__func__", None) is not Uninterrupted._note:
            self._before = before
            signal.signal(signal.SIGINT, self._note)

    def _note(self, *received: Any) -> None:
        self._received.append(received)

    def __exit__(self, *_: Any) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            if self._received:
                self._before(*self._received[0])
