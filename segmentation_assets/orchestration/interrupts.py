"""Interrupts of a step, which libraries turn into errors of their own or swallow."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import dagster as dg

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def as_interrupts() -> Iterator[None]:
    """Have a step that is interrupted end as interrupted, whatever has become of the interrupt on its way.

    DuckDB makes an error of its own of one that comes during a query, an import one of a module that is half loaded;
    one that falls into a destructor is lost.

    Raises
    ------
    DagsterExecutionInterruptedError
        SIGINT or SIGTERM came.
    """
    came: list[int] = []
    handlers = _note_signals(came) if threading.current_thread() is threading.main_thread() else {}
    try:
        yield
    except Exception as problem:
        if came:
            raise dg.DagsterExecutionInterruptedError from problem
        raise
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if came:
        raise dg.DagsterExecutionInterruptedError


def _note_signals(came: list[int]) -> dict[int, Any]:
    """Have signals noted before their handlers are called; return the handlers."""
    found = {number: signal.getsignal(number) for number in _SIGNALS}
    handlers: dict[int, Any] = {number: handler for number, handler in found.items() if callable(handler)}

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)
        handlers[number](number, frame)

    for number in handlers:
        signal.signal(number, note)
    return handlers
