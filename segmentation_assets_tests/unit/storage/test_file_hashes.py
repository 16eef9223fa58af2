"""Hashes are taken from memory only while the file cannot have changed."""

import os
import shutil

import pytest

from segmentation_assets.storage import file_hashes
from segmentation_assets.storage.file_hashes import MEMORY, FileHashes, file_sha256
from segmentation_assets.storage.stamps import Stamp

SECOND = 1_000_000_000


@pytest.fixture
def read(monkeypatch):
    """Paths that were read since the test began."""
    paths = []

    def note(path):
        paths.append(path.name)
        return file_sha256(path)

    monkeypatch.setattr(file_hashes, "file_sha256", note)
    return paths


@pytest.fixture
def later(monkeypatch):
    """Let the clock of the memory stand an hour ahead, so that files of now count as old."""
    now = file_hashes.time.time_ns()
    monkeypatch.setattr(file_hashes.time, "time_ns", lambda: now + 3_600 * SECOND)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "tables" / "a.parquet"
    path.parent.mkdir()
    path.write_text("text")
    return path


def test_file_is_read_once_also_by_a_later_process(tmp_path, file, read, later):
    first = FileHashes(tmp_path)
    assert first.sha256(file) == first.sha256(file) == FileHashes(tmp_path).sha256(file)
    assert read == ["a.parquet"]


def test_file_hashed_right_after_it_was_written_is_read_again(tmp_path, file, read):
    hashes = FileHashes(tmp_path)
    stamp = Stamp.of(file)
    os.utime(file, ns=(stamp.modified_ns + SECOND // 7, stamp.modified_ns + SECOND // 7))
    hashes.sha256(file)
    hashes.sha256(file)
    assert len(read) == 2


def test_settling_reads_what_was_new_and_spares_the_next_process(tmp_path, file, read, later, monkeypatch):
    with monkeypatch.context() as now:
        now.setattr(file_hashes.time, "time_ns", lambda: Stamp.of(file).changed_ns)
        hashes = FileHashes(tmp_path)
        hashes.sha256(file)
        hashes.settle()
    assert read == ["a.parquet"]
    hashes.settle()
    FileHashes(tmp_path).sha256(file)
    assert read == ["a.parquet"] * 2


@pytest.mark.parametrize(
    ("stamp", "seconds", "settled"),
    [
        (Stamp(1, 5, 5, 1), 0.09, False),
        (Stamp(1, 5, 5, 1), 0.11, True),
        (Stamp(1, 5, SECOND // 2, 1), 0.4, False),
        (Stamp(1, 0, 5, 1), 2.0, False),
        (Stamp(1, 0, 5, 1), 3.1, True),
    ],
)
def test_stamp_is_trusted_once_its_clock_must_have_moved_on(stamp, seconds, settled):
    assert stamp.is_settled(int(seconds * SECOND)) is settled


def test_change_of_the_same_size_with_the_old_time_put_back_is_found(tmp_path, file, later):
    hashes = FileHashes(tmp_path)
    before, stamp = hashes.sha256(file), file.stat()
    file.write_text("TEXT")
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert file.stat().st_mtime_ns == stamp.st_mtime_ns
    assert hashes.sha256(file) == file_sha256(file) != before
    assert not FileHashes(tmp_path).has(file, 4, before)


def test_file_replaced_by_another_of_the_same_size_and_time_is_found(tmp_path, file, later):
    before, stamp = FileHashes(tmp_path).sha256(file), file.stat()
    other = file.with_name("other")
    other.write_text("TEXT")
    os.utime(other, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    other.replace(file)
    assert FileHashes(tmp_path).sha256(file) != before


@pytest.mark.parametrize("damage", ["{", "", "\0" * 300, "0badc0de [1]\n"])
def test_damaged_memory_is_read_past(tmp_path, file, read, later, damage):
    expected = FileHashes(tmp_path).sha256(file)
    (tmp_path / MEMORY).write_text(damage)
    assert FileHashes(tmp_path).sha256(file) == expected
    assert FileHashes(tmp_path).has(file, 4, expected)
    assert len(read) <= 3


def test_line_with_a_changed_digit_is_not_believed(tmp_path, file, later):
    expected = FileHashes(tmp_path).sha256(file)
    memory = tmp_path / MEMORY
    memory.write_text(memory.read_text().replace(expected, "0" * 64))
    assert FileHashes(tmp_path).sha256(file) == expected


def test_remembered_hash_that_differs_is_checked_before_a_file_is_called_damaged(tmp_path, file, later):
    known = FileHashes(tmp_path)
    known._known["tables/a.parquet"] = (Stamp.of(file), "0" * 64)
    assert known.has(file, 4, file_sha256(file))


def test_memory_copied_with_the_data_folder_is_not_believed_there(tmp_path, file, read, later):
    FileHashes(tmp_path).sha256(file)
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path / "tables", copy / "tables")
    shutil.copytree(tmp_path / "cache", copy / "cache")
    FileHashes(copy).sha256(copy / "tables" / "a.parquet")
    assert len(read) == 2


def test_verifying_reads_what_is_remembered_and_corrects_the_memory(tmp_path, file, read, later):
    known = FileHashes(tmp_path)
    expected = known.sha256(file)
    known._append(file_hashes._line("tables/a.parquet", Stamp.of(file), "0" * 64))
    verifying = FileHashes(tmp_path, believes_memory=False)
    assert verifying.has(file, 4, expected)
    assert verifying.has(file, 4, expected)
    assert FileHashes(tmp_path).sha256(file) == expected
    assert len(read) == 2


def test_two_processes_add_to_one_memory_and_see_each_other(tmp_path, file, read, later):
    one, other = FileHashes(tmp_path), FileHashes(tmp_path)
    second = file.with_name("b.parquet")
    second.write_text("more")
    one.sha256(file)
    other.sha256(second)
    one.sha256(second)
    other.sha256(file)
    assert read == ["a.parquet", "b.parquet"]


def test_memory_does_not_grow_without_bound(tmp_path, file, later, monkeypatch):
    monkeypatch.setattr(file_hashes, "_LINES_KEPT", 20)
    for number in range(40):
        file.write_text(f"{number:04d}")
        FileHashes(tmp_path).sha256(file)
        gone = file.with_name(f"gone-{number}")
        gone.write_text("x")
        FileHashes(tmp_path).sha256(gone)
        gone.unlink()
    assert len((tmp_path / MEMORY).read_text().splitlines()) <= 25
    assert [path.name for path in (tmp_path / MEMORY).parent.iterdir()] == ["file_hashes.log"]


def test_no_data_folder_is_made_for_a_memory(tmp_path, file, later):
    FileHashes(tmp_path / "data").sha256(file)
    assert not (tmp_path / "data").exists()


def test_name_of_any_kind_is_remembered(tmp_path, read, later):
    path = tmp_path / os.fsdecode(b"line\nbreak \xff")
    path.write_text("text")
    FileHashes(tmp_path).sha256(path)
    FileHashes(tmp_path).sha256(path)
    assert len(read) == 1
