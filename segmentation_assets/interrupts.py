"""Interrupts of a step, a run or a command, which libraries turn into errors of their own or swallow."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM})

_MOST_SIGNALS = 4_096

_notes: list[Callable[[], bool]] = []
"""Whether an interrupt has come; noted by the outermost work, of which the whole is interrupted."""


@contextmanager
def as_interrupts(interrupt: type[BaseException]) -> Iterator[Callable[[], bool]]:
    """Have work that is interrupted end as interrupted, whatever has become of the interrupt on its way.

    DuckDB makes an error of its own of one that comes during a query, an import one of a module that is half loaded;
    one that falls into a destructor is lost, and so is one that Dagster takes in the last moment of a run. Signals are
    therefore noted as they come, whoever handles them. Work may lie within other work, which ends with it, and of
    which nothing is begun any more.

    Parameters
    ----------
    interrupt : type of BaseException
        What the work ends with.

    Yields
    ------
    callable
        Whether SIGINT or SIGTERM came; always says no outside the main thread, where no signal is handled.

    Raises
    ------
    BaseException
        `interrupt`, when SIGINT or SIGTERM came.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    with _noted_signals() as has_come:
        if has_come():
            raise interrupt
        try:
            yield has_come
        except BaseException as problem:
            if has_come():
                raise interrupt from problem
            raise
        if has_come():
            raise interrupt


@contextmanager
def _noted_signals() -> Iterator[Callable[[], bool]]:
    """Have the numbers of signals written to a pipe, unless they are; give back what was noted elsewhere before.

    Python does not tell of those that fall into a destructor, as they are not lost.
    """
    if _notes:
        yield _notes[0]
        return
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    came = bytearray()

    def has_come() -> bool:
        with suppress(BlockingIOError):
            came.extend(os.read(reader, _MOST_SIGNALS))
        return not _SIGNALS.isdisjoint(came)

    def tell(unraisable: "sys.UnraisableHookArgs") -> None:
        if issubclass(unraisable.exc_type, Exception):
            hook(unraisable)

    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    hook, sys.unraisablehook = sys.unraisablehook, tell
    _notes.append(has_come)
    try:
        yield has_come
    finally:
        _notes.clear()
        sys.unraisablehook = hook
        signal.set_wakeup_fd(before, warn_on_full_buffer=False)
        has_come()
        if before >= 0:
            os.write(before, came)
        os.close(reader)
        os.close(writer)
