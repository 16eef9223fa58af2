"""One thread for the libraries of linear algebra, so that the last bits do not depend on the machine's load."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[Any]:
    """Return a context in which numpy, scipy and scikit-learn compute on one thread; contexts may be nested."""
    limits: AbstractContextManager[Any] = _controller().limit(limits=1)
    return limits


@cache
def _controller() -> ThreadpoolController:
    """Look once which libraries are loaded: the search costs more than many a fit."""
    import sklearn.cluster  # noqa: F401 - loads the libraries that are looked for
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
