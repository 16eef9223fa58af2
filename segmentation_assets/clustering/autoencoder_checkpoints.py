"""Files in which a training keeps its progress, so that a fit that was stopped goes on where it stood."""

from __future__ import annotations

import hashlib
import os
import uuid
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]

_FINGERPRINT = "fingerprint"
_DAMAGE = (ValueError, KeyError, EOFError, NotImplementedError, zipfile.BadZipFile)


def fingerprint(values: npt.NDArray[Any], *parts: object) -> str:
    """Hash what a training depends on.

    Parameters
    ----------
    values : ndarray
        The rows, in their order.
    parts : object
        Whatever else counts; taken by ``repr``.

    Returns
    -------
    str
        64 hex digits.
    """
    digest = hashlib.sha256(repr((values.dtype.str, values.shape, parts)).encode())
    digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


@dataclass(frozen=True)
class CheckpointFile:
    """The progress of one training.

    Parameters
    ----------
    path : Path
        An ``.npz`` file; its folder is made when it is written.
    fingerprint : str
        Of what the training depends on; a file with another one belongs to another training.
    """

    path: Path
    fingerprint: str

    def read(self) -> tuple[Arrays | None, list[str]]:
        """Return the arrays that were kept, ``None`` without a usable file, and what to note about an unusable one."""
        try:
            with self.path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
                arrays = {name: kept[name] for name in kept.files}
            found = str(arrays.pop(_FINGERPRINT))
        except FileNotFoundError:
            return None, []
        except _DAMAGE:
            return None, [f"the checkpoint {self.path.name} is damaged; the training began anew"]
        if found != self.fingerprint:
            return None, [f"the checkpoint {self.path.name} is of another training; this one began anew"]
        return arrays, []

    def write(self, arrays: Arrays) -> None:
        """Replace the file in one step."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_name(f".{self.path.name}.{uuid.uuid4().hex[:8]}")
        try:
            with temporary.open("wb") as file:
                np.savez(file, allow_pickle=False, **arrays, **{_FINGERPRINT: np.array(self.fingerprint)})
            os.replace(temporary, self.path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise

    def remove(self) -> None:
        """Remove the file, where there is one, and its folder when it is the last."""
        self.path.unlink(missing_ok=True)
        with suppress(OSError):
            self.path.parent.rmdir()
