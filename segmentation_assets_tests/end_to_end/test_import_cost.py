"""What it costs Dagster to load the definitions, beyond Dagster itself."""

from __future__ import annotations

import json
from pathlib import Path

from segmentation_assets_tests.end_to_end.commands import finish, make_workplace

MOST_CPU_SECONDS = 2.0

PROGRAM = """
import json, sys, time
import dagster
before, known = time.process_time(), set(sys.modules)
import segmentation_assets.definitions
spent = time.process_time() - before
print(json.dumps([spent, sorted({name.partition(".")[0] for name in set(sys.modules) - known})]))
"""


def test_definitions_load_fast_and_without_heavy_libraries(tmp_path: Path) -> None:
    make_workplace(tmp_path)
    measured = [json.loads(finish(tmp_path, "-c", PROGRAM).out) for _ in range(3)]
    assert min(spent for spent, _ in measured) < MOST_CPU_SECONDS
    heavy = {"pandas", "numpy", "sklearn", "scipy", "plotly", "openpyxl", "jinja2", "matplotlib", "skops"}
    assert heavy & set(measured[0][1]) == set()
    assert not (tmp_path / "data").exists()
