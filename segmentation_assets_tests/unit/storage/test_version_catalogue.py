"""Stored versions: listed, found, written out and put in force."""

import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.storage.store import TableStore
from segmentation_assets.storage.version_catalogue import find_version, list_versions, put_in_force, write_out
from segmentation_assets_tests.unit.storage.stored_versions import (
    KEY,
    MONTH,
    SLICED,
    content_of,
    store_sliced,
    store_table,
)


@pytest.fixture
def store(tmp_path):
    """A table that was replaced once, and an asset in slices of which one was replaced and one added."""
    store = TableStore(tmp_path / "data", kept_versions=3)
    store_sliced(store, {"2025-05-01": "b"})
    store_sliced(store, {"2025-05-01": "a", "2025-06-01": "a"}, hours=1)
    store_table(store, "old")
    store_table(store, "new rows", hours=1)
    return store


def version_of(store, text, **narrowed):
    return find_version(store, content_of(text), **narrowed)


def test_versions_are_listed_with_state_size_and_what_was_made_from_them(store):
    listed = [(each.manifest.key, each.part, each.state, each.size_bytes) for each in list_versions(store)]
    assert listed == [
        (KEY, "2025-06", "current", 8),
        (KEY, "2025-06", "earlier", 3),
        (SLICED, "all", "current", 2),
        (SLICED, "all", "earlier", 1),
        (SLICED, "2025-05", "current", 1),
        (SLICED, "2025-05", "earlier", 1),
        (SLICED, "2025-06", "current", 1),
    ]
    (part,) = list_versions(store, key=SLICED, month="2025-06")
    assert part.used_by == (f"{KEY} of 2025-06",)
    assert list_versions(TableStore(store.root / "nowhere")) == []


@pytest.mark.parametrize(
    ("digits", "message"),
    [
        ("abc", "'abc' is too short to name a version\nHint: give at least 4 digits"),
        ("ffffffff", "no stored version has the hash 'ffffffff'\nHint: 'segmentation data list' shows"),
        (content_of("old")[:11] + "x", f"no stored version .*\nHint: did you mean '{content_of('old')[:12]}'"),
        (
            content_of("a"),
            "means 2 versions: raw/lines of 2025-05 .*, raw/lines of 2025-06 .*\nHint: give more digits, or",
        ),
    ],
)
def test_digits_that_mean_no_version_or_several_are_refused(store, digits, message):
    with pytest.raises(DataError, match=message):
        find_version(store, digits)


def test_the_month_tells_equal_contents_apart(store):
    assert version_of(store, "a", month="2025-06").part == "2025-06"
    assert find_version(store, content_of("old")[:4].upper()).state == "earlier"


def test_a_version_is_put_in_force_again_and_back(store):
    assert put_in_force(store, version_of(store, "old"))
    assert store.table_paths(KEY, MONTH)[0].read_text() == "old"
    assert version_of(store, "new rows").state == "earlier"
    assert not put_in_force(store, version_of(store, "old")), "it is in force already"
    assert put_in_force(store, version_of(store, "new rows"))
    assert store.is_intact(store.manifest(KEY, MONTH))


def test_what_is_stored_in_slices_is_restored_whole(store):
    (whole,) = (each for each in list_versions(store, key=SLICED) if each.manifest.slices and not each.is_current)
    assert put_in_force(store, whole)
    assert store.manifest(SLICED).slices == {"2025-05-01": content_of("b")}
    assert store.slice_paths(SLICED, "2025-05-01")[0].read_text() == "b"
    assert store.slice_manifest(SLICED, "2025-06-01") is None
    assert store.is_intact(store.manifest(SLICED))
    with pytest.raises(DataError, match="2025-05 .* is a part of raw/lines, which is restored whole\nHint: name a ver"):
        put_in_force(store, version_of(store, "a", month="2025-05"))


@pytest.mark.parametrize("act", [put_in_force, lambda store, version: write_out(store, version, store.root / "out")])
def test_a_damaged_version_is_not_restored(store, act):
    version = version_of(store, "old")
    (store.root / version.manifest.files[0].path).write_text("OLD")
    with pytest.raises(DataError, match="gold/example of 2025-06-01 cannot be restored: .* differs from its SHA-256"):
        act(store, version)
    assert store.table_paths(KEY, MONTH)[0].read_text() == "new rows"
    assert not (store.root / "out").exists()


def test_a_whole_of_which_a_slice_is_gone_is_not_restored(store):
    (whole,) = (each for each in list_versions(store, key=SLICED) if each.manifest.slices and not each.is_current)
    for record in store.versions_folder(f"{SLICED}/slices", "2025-05-01").iterdir():
        record.unlink()
    with pytest.raises(DataError, match="is not complete any more: 2025-05-01 of it is gone\nHint: retention.versions"):
        put_in_force(store, whole)


def test_a_kill_while_restoring_leaves_the_version_in_force(store, monkeypatch):
    version = version_of(store, "old")

    def killed(*_arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("segmentation_assets.storage.store.write_text_whole", killed)
        with pytest.raises(KeyboardInterrupt):
            put_in_force(store, version)
    assert store.table_paths(KEY, MONTH)[0].read_text() == "new rows"
    assert put_in_force(store, version)


def test_files_are_written_into_a_new_folder_and_never_over_others(store, tmp_path):
    out = tmp_path / "out" / "old"
    assert write_out(store, version_of(store, "old"), out) == 1
    assert (out / MONTH / "part-0.parquet").read_text() == "old"
    assert (out / "manifest.json").is_file()
    with pytest.raises(DataError, match="out/old is not empty\nHint: name a folder that does not exist"):
        write_out(store, version_of(store, "new rows"), out)
    whole = next(each for each in list_versions(store, key=SLICED) if each.manifest.slices)
    assert write_out(store, whole, tmp_path / "whole") == 2
    assert sorted(path.name for path in (tmp_path / "whole").iterdir()) == ["2025-05-01", "2025-06-01", "manifest.json"]
