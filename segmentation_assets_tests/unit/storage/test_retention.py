"""What is not kept any more goes whole, and says so."""

import os

import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.storage.manifest import Manifest
from segmentation_assets.storage.models import ModelStore
from segmentation_assets.storage.retention import (
    freeze_result,
    old_run_files,
    remove_models,
    remove_result,
    result_size,
    unneeded_models,
)
from segmentation_assets.storage.store import TableStore
from segmentation_assets_tests.unit.storage.stored_versions import KEY, MONTH, store_table

LATER = 4_000_000_000.0


def test_a_removed_result_leaves_its_manifest_which_says_so(tmp_path):
    store = TableStore(tmp_path, kept_versions=1)
    store_table(store, "old")
    first = store_table(store, "new", hours=1)
    assert result_size(store, first) == 6
    remove_result(store, KEY, MONTH)
    kept = store.manifest(KEY, MONTH)
    assert (kept.content_hash, kept.is_removed) == (first.content_hash, True)
    assert not (tmp_path / "tables").exists()
    assert store.earlier_versions(KEY, MONTH) == []
    with pytest.raises(DataError, match="gold/example of 2025-06 lies beyond retention.months and was removed"):
        store.table_paths(KEY, MONTH)


def test_files_for_people_go_with_the_folders_they_leave_empty(tmp_path):
    store = TableStore(tmp_path)
    for month in ("2025-05", "2025-06"):
        page = tmp_path / "reports" / month / "figures" / "page.html"
        page.parent.mkdir(parents=True)
        page.write_text("<p>")
        store.publish(Manifest("reports/page", f"{month}-01", "c" * 32, "v", {}, store.describe_files([page])))
    remove_result(store, "reports/page", "2025-05-01")
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["2025-06"]


def test_a_kill_while_removing_leaves_nothing_that_looks_damaged(tmp_path, monkeypatch):
    store = TableStore(tmp_path)
    store_table(store, "text")

    def killed(*_arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("segmentation_assets.storage.retention._remove", killed)
        with pytest.raises(KeyboardInterrupt):
            remove_result(store, KEY, MONTH)
    kept = store.manifest(KEY, MONTH)
    assert (kept.is_removed, result_size(store, kept)) == (True, 4), "the next pruning finds what is left"
    remove_result(store, KEY, MONTH)
    assert result_size(store, store.manifest(KEY, MONTH)) == 0


def test_a_frozen_result_stays_readable(tmp_path):
    store = TableStore(tmp_path)
    store_table(store, "text")
    freeze_result(store, KEY, MONTH)
    assert store.table_paths(KEY, MONTH)[0].read_text() == "text"
    assert not store.manifest(KEY, MONTH).is_removed


@pytest.fixture
def models(tmp_path):
    """Four churn models stored one after another: the first is used, the second has an alias."""
    models = ModelStore(tmp_path)
    found = [models.save("churn", None, {"month": "2025-05"}, state={"x": number}) for number in range(4)]
    for number, reference in enumerate(found):
        os.utime(models.folder(reference) / "metadata.json", (number + 1, number + 1))
    models.set_alias("churn_champion", found[1])
    store = TableStore(tmp_path)
    files = store.describe_files([models.folder(found[0]) / "metadata.json"])
    store.publish(Manifest("models/churn", MONTH, "h", "v", {}, files))
    return models, found


@pytest.mark.parametrize(("count", "going"), [(0, [3, 2]), (1, [2]), (2, [])])
def test_models_that_nothing_needs_go_but_for_the_newest(models, count, going):
    store, found = models
    unneeded = unneeded_models(store, count, without=())
    assert [model.reference for model in unneeded] == [found[number] for number in going]
    remove_models(store, unneeded)
    assert len(store.hashes("churn")) == 4 - len(going)


def test_a_model_of_results_that_go_is_not_needed_and_one_just_stored_stays(models):
    store, found = models
    unneeded = unneeded_models(store, 2, without={"models/churn of 2025-06"})
    assert [model.reference for model in unneeded] == [found[0]]
    assert unneeded_models(store, 0, without=(), now=100.0) == []


def test_the_newest_records_of_runs_stay_with_their_logs(tmp_path):
    for number, name in enumerate(("a", "c", "b")):
        for path in (tmp_path / "runs" / f"{name}.json", tmp_path / "logs" / f"{name}.jsonl"):
            path.parent.mkdir(exist_ok=True)
            path.touch()
            os.utime(path, (number, number))
    (tmp_path / "logs" / "a.jsonl").unlink()
    assert [path.name for path in old_run_files(tmp_path, 1)] == ["c.json", "a.json", "c.jsonl"]
    assert old_run_files(tmp_path, 3) == []
