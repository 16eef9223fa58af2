"""The steps of docs/adding-a-feature.md in a copy of the repository, and the tests that find the new block there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

FOUND = (
    "test_registry.py::test_column_declaration_is_complete[bulk_line_share]",
    "test_registry.py::test_block_yields_its_declared_columns_and_types[bulk]",
    "test_portability.py::test_query_has_no_silent_trap[block_bulk]",
    "test_labels.py::test_label_reads_like_words[bulk_line_count]",
)

FILES = ("test_registry.py", "test_portability.py", "test_labels.py", "test_blocks_oracle.py")


def test_the_steps_of_the_page_add_a_block_that_the_tests_find(repository: Path, tmp_path: Path) -> None:
    page = (repository / "docs" / "adding-a-feature.md").read_text(encoding="utf-8")
    for name in ("segmentation_assets", "segmentation_assets_tests"):
        shutil.copytree(repository / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(repository / "pyproject.toml", tmp_path)
    for path, code in re.findall(r"^`([\w/]+\.py)`\n\n```python\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL):
        (tmp_path / path).write_text(code, encoding="utf-8")
    entry, oracle_entry = re.findall(r"^```\n(    .*\n)```$", page, flags=re.MULTILINE)
    register(tmp_path / "segmentation_assets/features/registry.py", entry)
    register(tmp_path / "segmentation_assets_tests/unit/features/oracle/__init__.py", oracle_entry)
    done = run_tests(tmp_path)
    assert done.returncode == 0, done.stdout[-4000:]
    assert [name for name in FOUND if not re.search(rf"{re.escape(name)} PASSED", done.stdout)] == []
    assert re.search(r"second_implementation\[.*\] PASSED", done.stdout)


def register(path: Path, entry: str) -> None:
    """Import the block with the others, and write its entry after those of `BLOCKS`."""
    head, begin, rest = path.read_text(encoding="utf-8").partition("\nBLOCKS: ")
    entries, end, tail = rest.partition("\n)\n" if entry.strip() == "bulk.block," else "\n}\n")
    imported = head.replace("    basket,\n", "    basket,\n    bulk,\n", 1)
    path.write_text(f"{imported}{begin}{entries}\n{entry.rstrip()}{end}{tail}", encoding="utf-8")


def run_tests(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-p", "no:xdist"),
            *("-k", "bulk or (second_implementation and calendar_days)"),
            *(f"segmentation_assets_tests/unit/features/{name}" for name in FILES),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
