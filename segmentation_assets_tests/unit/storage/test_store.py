import contextlib
import os
import time

import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.storage.manifest import CheckRecord, Manifest, StoredFile
from segmentation_assets.storage.store import TableStore

KEY = "gold/example"


NOW = 1_000_000_000.0


def store_part(store, text, content, partition="2025-06-01", now=None):
    with store.staging(KEY) as stage:
        (stage / "part-0.parquet").write_text(text)
        files = store.place_table(stage, KEY, partition, content, store.manifest(KEY, partition))
    manifest = Manifest(KEY, partition, content, "1-abc", {"silver/x@2025-06-01": "1"}, files, 1)
    store.publish(manifest, now=now)
    return manifest


def stored_contents(store, partition="2025-06-01"):
    return sorted(folder.name[0] for folder in store.table_folder(KEY, partition).iterdir())


def test_manifest_survives_json():
    manifest = Manifest(
        KEY,
        "all",
        "abc",
        "1-x",
        {"a": "b"},
        (StoredFile("tables/x", 3, "ff"),),
        2,
        (CheckRecord("contract", True, "fine", {"rules": ["a"]}),),
        {"figure": 1.5},
        {"2025-06-01": "d"},
    )
    assert Manifest.from_json(manifest.to_json(), "here") == manifest


@pytest.mark.parametrize("text", ["", "{", "{}", '{"files": [{"name": 1}], "checks": []}'])
def test_damaged_manifest_is_named_with_what_to_do(text):
    with pytest.raises(DataError, match=r"x\.json is not a readable manifest .*\nHint: remove the file"):
        Manifest.from_json(text, "x.json")


def test_new_content_replaces_the_old_and_leaves_nothing_half_done(tmp_path):
    store = TableStore(tmp_path)
    store_part(store, "old", "a" * 32)
    store_part(store, "new", "b" * 32)
    (path,) = store.table_paths(KEY, "2025-06-01")
    assert path.read_text() == "new"
    assert path.parent.name == "b" * 16
    assert list((tmp_path / "staging").iterdir()) == []


def test_reader_that_found_the_old_content_can_still_read_it(tmp_path):
    store = TableStore(tmp_path)
    store_part(store, "old", "a" * 32)
    (found,) = store.table_paths(KEY, "2025-06-01")
    store_part(store, "new", "b" * 32)
    assert found.read_text() == "old"


def test_replaced_content_goes_with_the_first_publishing_after_the_grace_period(tmp_path):
    store = TableStore(tmp_path)
    for content, minutes in (("a", 0), ("b", 500), ("c", 510), ("d", 559)):
        store_part(store, content, content * 32, now=NOW + 60 * minutes)
    assert stored_contents(store) == ["a", "b", "c", "d"]
    store_part(store, "e", "e" * 32, now=NOW + 60 * 565)
    assert stored_contents(store) == ["b", "c", "d", "e"]
    store_part(store, "f", "f" * 32, now=NOW + 60 * 571)
    assert stored_contents(store) == ["c", "d", "e", "f"]


def test_content_that_comes_back_is_current_and_was_readable_all_along(tmp_path):
    store = TableStore(tmp_path)
    store_part(store, "old", "a" * 32)
    (found,) = store.table_paths(KEY, "2025-06-01")
    store_part(store, "new", "b" * 32)
    with found.open() as reader:
        store_part(store, "old, other bytes", "a" * 32)
        assert reader.read() == "old"
    assert store.table_paths(KEY, "2025-06-01")[0].read_text() == "old, other bytes"
    assert store.is_intact(store.manifest(KEY, "2025-06-01"))


def test_removed_slice_is_not_stored_but_readable_for_a_while(tmp_path):
    store = TableStore(tmp_path)
    store_part(store, "text", "a" * 32)
    store.publish(store.manifest(KEY, "2025-06-01"), slice_name="2025-06-01")
    store.manifest_path(KEY, "2025-06-01").unlink()
    (found,) = store.slice_paths(KEY, "2025-06-01")
    store.remove_slice(KEY, "2025-06-01", now=NOW)
    assert store.slice_manifest(KEY, "2025-06-01") is None
    store.drop_replaced(now=NOW + 3_500)
    assert found.read_text() == "text"
    store.drop_replaced(now=NOW + 3_700)
    assert not found.exists()


def test_dropping_takes_what_is_old_and_replaced_and_nothing_in_force(tmp_path):
    store = TableStore(tmp_path)
    for content in ("a", "b"):
        store_part(store, content, content * 32, now=NOW)
    os.utime(store.table_folder(KEY, "2025-06-01") / ("b" * 16), (NOW, NOW))
    store.drop_replaced(now=NOW + 3_500)
    assert stored_contents(store) == ["a", "b"]
    store.drop_replaced(now=NOW + 3_700)
    assert stored_contents(store) == ["b"]


@pytest.mark.parametrize("owner", ["2025-06-01", "slices"])
def test_dropping_leaves_out_what_another_process_is_replacing(tmp_path, owner):
    store = TableStore(tmp_path)
    for content in ("a", "b"):
        store_part(store, content, content * 32, now=NOW)
    with store.lock(KEY, owner):
        store.drop_replaced(now=NOW + 3_700)
    assert stored_contents(store) == ["a", "b"]


def test_dropping_touches_nothing_whose_manifest_cannot_be_read(tmp_path):
    store = TableStore(tmp_path)
    for content in ("a", "b"):
        store_part(store, content, content * 32, now=NOW)
    store.manifest_path(KEY, "2025-06-01").write_text("{")
    store.drop_replaced(now=4_000_000_000.0)
    assert stored_contents(store) == ["a", "b"]


def test_same_content_leaves_the_stored_file_untouched(tmp_path):
    store = TableStore(tmp_path)
    first = store_part(store, "same", "a" * 32)
    before = store.table_paths(KEY, "2025-06-01")[0].stat()
    second = store_part(store, "other bytes, same rows", "a" * 32)
    after = store.table_paths(KEY, "2025-06-01")[0].stat()
    assert second.files == first.files
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_previous_result_stays_readable_until_the_manifest_is_published(tmp_path):
    store = TableStore(tmp_path)
    store_part(store, "old", "a" * 32)
    with store.staging(KEY) as stage:
        (stage / "part-0.parquet").write_text("new")
        store.place_table(stage, KEY, "2025-06-01", "b" * 32, store.manifest(KEY, "2025-06-01"))
    assert store.table_paths(KEY, "2025-06-01")[0].read_text() == "old"


def test_step_that_fails_leaves_the_previous_result_and_no_staging(tmp_path):
    store = TableStore(tmp_path)
    store_part(store, "old", "a" * 32)
    with contextlib.suppress(ZeroDivisionError), store.staging(KEY) as stage:
        (stage / "part-0.parquet").write_text("half")
        raise ZeroDivisionError
    assert store.table_paths(KEY, "2025-06-01")[0].read_text() == "old"
    assert list((tmp_path / "staging").iterdir()) == []


@pytest.mark.parametrize("damage", ["shorter", "same size", "gone"])
def test_damaged_file_is_noticed(tmp_path, damage):
    store = TableStore(tmp_path)
    manifest = store_part(store, "text", "a" * 32)
    assert store.is_intact(manifest)
    path = store.paths(manifest)[0]
    {
        "shorter": lambda: path.write_text("t"),
        "same size": lambda: path.write_text("TEXT"),
        "gone": path.unlink,
    }[damage]()
    assert not store.is_intact(manifest)


def test_manifest_that_was_replaced_is_read_anew(tmp_path):
    store = TableStore(tmp_path)
    for content in ("a", "b", "a", "c"):
        store_part(store, content, content * 32)
        assert store.manifest(KEY, "2025-06-01").content_hash == content * 32
        assert TableStore(tmp_path).manifest(KEY, "2025-06-01").content_hash == content * 32


def test_manifest_is_parsed_once_while_its_file_is_untouched(tmp_path):
    store = TableStore(tmp_path)
    store_part(store, "text", "a" * 32)
    path = store.manifest_path(KEY, "2025-06-01")
    os.utime(path, (NOW, NOW + 0.5))
    deadline = time.monotonic() + 10
    while store.manifest(KEY, "2025-06-01") is not store.manifest(KEY, "2025-06-01"):
        assert time.monotonic() < deadline


def test_damaged_manifest_counts_as_nothing_stored(tmp_path):
    store = TableStore(tmp_path)
    store_part(store, "text", "a" * 32)
    store.manifest_path(KEY, "2025-06-01").write_text("{")
    assert store.manifest(KEY, "2025-06-01") is None


def test_staging_of_a_dead_process_is_removed_and_that_of_a_live_one_kept(tmp_path):
    store = TableStore(tmp_path)
    dead, alive = tmp_path / "staging" / "999999999-x", tmp_path / "staging" / "1-x"
    dead.mkdir(parents=True)
    alive.mkdir()
    with store.staging(KEY):
        assert not dead.exists()
        assert alive.exists()


def test_asking_for_what_is_not_stored_says_how_to_make_it(tmp_path):
    store = TableStore(tmp_path)
    with pytest.raises(DataError, match="gold/example has no result for 2025-06-01\nHint: compute it first"):
        store.table_paths(KEY, "2025-06-01")
    with pytest.raises(DataError, match="gold/example has no slice 2025-06-01"):
        store.slice_paths(KEY, "2025-06-01")


def test_latest_leads_to_the_month_it_was_pointed_at_last(tmp_path):
    store = TableStore(tmp_path)
    for month in ("2025-08", "2025-06"):
        (tmp_path / "reports" / month).mkdir(parents=True)
        store.point_latest("reports", month)
    assert (tmp_path / "reports" / "latest").resolve().name == "2025-06"


def test_latest_replaces_the_folder_that_copying_made_of_the_link(tmp_path):
    (tmp_path / "reports" / "latest").mkdir(parents=True)
    (tmp_path / "reports" / "2025-06").mkdir()
    TableStore(tmp_path).point_latest("reports", "2025-06")
    assert (tmp_path / "reports" / "latest").is_symlink()
