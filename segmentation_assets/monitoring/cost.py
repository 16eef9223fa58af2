"""What a piece of work costs: CPU seconds, wall seconds and peak memory of this process."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

_CLEAR_REFS = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Cost:
    """CPU and wall seconds, and the peak of resident memory in megabytes; ``None`` where it cannot be read."""

    cpu_seconds: float
    wall_seconds: float
    peak_megabytes: float | None


class CostMeter:
    """Measures from its construction on; peak memory is that of the whole process since then (Linux only)."""

    def __init__(self) -> None:
        self._is_resettable = _reset_peak()
        self._cpu = time.process_time()
        self._wall = time.perf_counter()

    def read(self) -> Cost:
        """Return the cost so far."""
        peak = _read_peak() if self._is_resettable else None
        return Cost(time.process_time() - self._cpu, time.perf_counter() - self._wall, peak)


def _reset_peak() -> bool:
    """Ask the kernel to start a new peak of resident memory."""
    try:
        _CLEAR_REFS.write_text("5")
    except OSError:
        return False
    return True


def _read_peak() -> float | None:
    for line in _STATUS.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return None
