"""Which models are stored, what uses them, and the archive."""

import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.storage.manifest import Manifest, StoredFile
from segmentation_assets.storage.model_catalogue import archive_model, find_model, list_models
from segmentation_assets.storage.models import ModelStore
from segmentation_assets.storage.store import TableStore


@pytest.fixture
def store(tmp_path):
    """Three models: the newest of two churn models is in force and used, the map is unused."""
    store = ModelStore(tmp_path)
    old = store.save("churn", None, {"month": "2025-05"}, state={"x": 1})
    new = store.save("churn", None, {"month": "2025-06", "figures": {"auc": 0.8}}, state={"x": 2})
    store.save("rfm", None, {"month": "2025-06"}, state={"x": 3})
    store.set_alias("churn_champion", new)
    file = StoredFile(f"models/churn/{old.content_hash}/metadata.json", 1, "")
    table = StoredFile("tables/models/churn/2025-05-01/x/part-0.parquet", 1, "")
    TableStore(tmp_path).publish(Manifest("models/churn", "2025-05-01", "h", "v", {}, files=(table, file)))
    return store


def test_models_are_listed_with_month_size_aliases_and_uses(store):
    old, new, rfm = list_models(store)
    assert [one.reference.name for one in (old, new, rfm)] == ["churn", "churn", "rfm"]
    assert (old.used_by, old.aliases) == (("models/churn of 2025-05",), ())
    assert (new.used_by, new.aliases, new.description["figures"]) == ((), ("churn_champion",), {"auc": 0.8})
    assert (rfm.state, rfm.size_bytes > 50) == ({"x": 3}, True)
    assert list_models(ModelStore(store.root / "nowhere")) == []


def test_a_model_is_found_by_alias_or_a_few_digits(store):
    old, new, _ = list_models(store)
    assert find_model(store, "churn_champion") == new
    assert find_model(store, old.full_name) == find_model(store, old.full_name[:12]) == old


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("churn_champio", "'churn_champio' is no stored model\nHint: did you mean 'churn_champion'"),
        ("churn@ab", "'churn@ab' is no stored model"),
        ("rfm@00000000", "'rfm@00000000' is no stored model"),
    ],
)
def test_what_is_no_model_is_refused(store, text, message):
    with pytest.raises(DataError, match=message):
        find_model(store, text)


def test_digits_that_mean_several_models_are_refused(tmp_path, monkeypatch):
    store = ModelStore(tmp_path)
    hashes = iter(["abcd" + "0" * 28, "abcd" + "1" * 28])
    monkeypatch.setattr("segmentation_assets.storage.models.fitted_state_hash", lambda *_: next(hashes))
    for month in ("2025-05", "2025-06"):
        store.save("churn", None, {"month": month})
    with pytest.raises(DataError, match="'churn@abcd' means 2 models: churn@abcd0.*\nHint: give more digits"):
        find_model(store, "churn@abcd")


def test_only_what_nothing_uses_is_archived_and_it_can_come_back(store):
    old, new, rfm = list_models(store)
    with pytest.raises(DataError, match="is in use: models/churn of 2025-05\nHint: only models that no stored month"):
        archive_model(store, old)
    with pytest.raises(DataError, match="is in use: the alias churn_champion"):
        archive_model(store, new)
    target = archive_model(store, rfm)
    assert target == store.root / "archive" / "models" / "rfm" / rfm.reference.content_hash
    assert list_models(store) == [old, new]
    target.rename(store.folder(rfm.reference))
    assert store.load(rfm.reference).state == {"x": 3}


def test_a_damaged_description_is_told(store):
    (store.folder(list_models(store)[0].reference) / "metadata.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=r"metadata\.json cannot be read .*\nHint: remove the folder"):
        list_models(store)
