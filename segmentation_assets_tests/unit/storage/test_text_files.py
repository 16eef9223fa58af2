from pathlib import Path

import pytest

from segmentation_assets.storage.text_files import write_text_whole


def test_file_is_replaced_and_its_folder_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "note"
    for text in ("first", "zweiter, länger"):
        write_text_whole(path, text)
        assert path.read_text(encoding="utf-8") == text
    assert list(path.parent.iterdir()) == [path]


def test_file_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "note"
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        write_text_whole(path, "text")
    assert list(tmp_path.iterdir()) == [path]
