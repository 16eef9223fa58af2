"""How long replaced contents stay, and what is known of them."""

import pytest

from segmentation_assets.storage.manifest import RETIRED, Manifest, StoredFile
from segmentation_assets.storage.store import TableStore
from segmentation_assets.storage.versions import is_versioned
from segmentation_assets_tests.unit.storage.stored_versions import (
    HOUR,
    KEY,
    MONTH,
    NOW,
    SLICED,
    content_of,
    store_sliced,
    store_table,
)


def earlier(store, owner=KEY, partition=MONTH):
    return [version.manifest.content_hash for version in store.earlier_versions(owner, partition)]


def hashes(*texts):
    return [content_of(text) for text in texts]


def test_a_replaced_version_stays_for_an_hour_with_its_manifest(tmp_path):
    store = TableStore(tmp_path)
    first = store_table(store, "old")
    store_table(store, "new", hours=1)
    (version,) = store.earlier_versions(KEY, MONTH)
    assert (version.manifest, version.replaced_at) == (first, NOW + HOUR)
    store.drop_replaced(now=NOW + 1.9 * HOUR)
    assert earlier(store) == hashes("old")
    store.drop_replaced(now=NOW + 2.1 * HOUR)
    assert earlier(store) == []
    assert not list((tmp_path / "versions").rglob("*.json")), "the record goes with the content"


def test_as_many_versions_stay_as_the_settings_say_those_replaced_last(tmp_path):
    store = TableStore(tmp_path, kept_versions=2)
    for hours, text in enumerate(("a", "b", "c", "d")):
        store_table(store, text, hours=2 * hours)
    store.drop_replaced(now=NOW + 100 * HOUR)
    assert earlier(store) == hashes("c", "b")
    store_table(store, "e", hours=200)
    store.drop_replaced(now=NOW + 300 * HOUR)
    assert earlier(store) == hashes("d", "c")
    TableStore(tmp_path, kept_versions=1).drop_replaced(now=NOW + 300 * HOUR)
    assert earlier(store) == hashes("d")


def test_a_content_that_comes_back_is_no_earlier_version_of_itself(tmp_path):
    store = TableStore(tmp_path, kept_versions=1)
    for hours, text in enumerate(("a", "b", "a")):
        store_table(store, text, hours=2 * hours)
    assert earlier(store) == hashes("b")
    store.drop_replaced(now=NOW + 100 * HOUR)
    assert earlier(store) == hashes("b")
    assert store.is_intact(store.manifest(KEY, MONTH))


def test_slices_stay_as_long_as_a_kept_whole_consists_of_them(tmp_path):
    store = TableStore(tmp_path, kept_versions=1)
    first = store_sliced(store, {"2025-05-01": "may", "2025-06-01": "june"})
    second = store_sliced(store, {"2025-05-01": "may", "2025-06-01": "june corrected"}, hours=2)
    store_sliced(store, {"2025-05-01": "may corrected"}, hours=4)
    store.drop_replaced(now=NOW + 100 * HOUR)
    assert earlier(store, SLICED, "all") == [second.content_hash]
    assert first.content_hash not in earlier(store, SLICED, "all")
    assert earlier(store, f"{SLICED}/slices", "2025-05-01") == hashes("may")
    assert earlier(store, f"{SLICED}/slices", "2025-06-01") == hashes("june corrected")


def test_forgotten_versions_cannot_be_found_although_readers_have_an_hour(tmp_path):
    store = TableStore(tmp_path, kept_versions=5)
    store_table(store, "old")
    (path,) = store.table_paths(KEY, MONTH)
    store.publish(Manifest(KEY, MONTH, content_of("new"), "1-abc", {}))
    store.forget_versions()
    assert (earlier(store), path.read_text()) == ([], "old")
    store.drop_replaced(now=4_000_000_000.0)
    assert not path.exists()


def test_a_kill_before_the_manifest_is_in_place_leaves_the_version_in_force(tmp_path, monkeypatch):
    store = TableStore(tmp_path, kept_versions=1)
    store_table(store, "old")

    def killed(path, text):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("segmentation_assets.storage.store.write_text_whole", killed)
        with pytest.raises(KeyboardInterrupt):
            store_table(store, "new", hours=1)
    assert store.manifest(KEY, MONTH).content_hash == content_of("old")
    assert store.is_intact(store.manifest(KEY, MONTH))
    assert earlier(store) == []
    store.drop_replaced(now=NOW + 100 * HOUR)
    assert store.is_intact(store.manifest(KEY, MONTH))


def test_a_record_that_cannot_be_read_is_no_version(tmp_path):
    store = TableStore(tmp_path, kept_versions=1)
    store_table(store, "old")
    store_table(store, "new", hours=1)
    (record,) = (tmp_path / "versions").rglob("*.json")
    record.write_text('{"manifest": {')
    assert earlier(store) == []


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (Manifest(KEY, MONTH, "a", "v", {}, (StoredFile(f"tables/{KEY}/{MONTH}/a/part-0.parquet", 1, ""),)), True),
        (Manifest(KEY, MONTH, "a", "v", {}, (StoredFile("reports/2025-06/page.html", 1, ""),)), False),
        (Manifest(KEY, MONTH, "a", "v", {}, (StoredFile("models/churn/1/metadata.json", 1, ""),)), False),
        (Manifest(SLICED, "all", "a", "v", {}, slices={"2025-06-01": "b"}), True),
        (Manifest(SLICED, "all", "a", "v", {}, metadata={RETIRED: "removed"}, slices={"2025-06-01": "b"}), False),
    ],
)
def test_only_what_lies_in_content_folders_has_versions(manifest, expected):
    assert is_versioned(manifest) == expected
