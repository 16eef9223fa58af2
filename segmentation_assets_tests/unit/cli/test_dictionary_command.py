"""`segmentation dictionary` prints a page, or writes it."""

from pathlib import Path

import pytest

from segmentation_assets.cli.main import main


def test_the_page_of_the_own_settings_is_printed_or_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.yaml").write_text("profile: demo\nfeatures: {windows: [45]}\n", encoding="utf-8")
    assert main(["dictionary", "--config", "own.yaml"]) == 0
    printed = capsys.readouterr().out
    assert main(["dictionary", "--config", "own.yaml", "--output", "new/page.md"]) == 0
    assert capsys.readouterr().out == ""
    written = Path("new/page.md").read_text(encoding="utf-8")
    assert "| `order_count_45d`<br>" in printed
    assert "order_count_30d" not in printed
    assert written == printed.replace("own.yaml`", "own.yaml --output new/page.md`")
