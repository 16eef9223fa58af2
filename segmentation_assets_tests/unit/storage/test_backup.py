"""A data folder into one file and back: whole, checked, and never outside of its folder."""

import io
import json
import os
import sqlite3
import tarfile
from contextlib import closing

import pytest
import zstandard

from segmentation_assets.errors import DataError
from segmentation_assets.storage.backup import write_backup
from segmentation_assets.storage.backup_reading import newest_backup, restore_backup
from segmentation_assets.storage.manifest import Manifest
from segmentation_assets.storage.store import TableStore
from segmentation_assets.storage.version_catalogue import find_version, put_in_force
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
    """Tables, an earlier version, a report with its link, decisions, and what is never taken."""
    store = TableStore(tmp_path / "data", kept_versions=1)
    store_sliced(store, {"2025-05-01": "may", "2025-06-01": "june"})
    store_table(store, "old")
    store_table(store, "new", hours=1)
    page = store.root / "reports" / "2025-06" / "page.html"
    page.parent.mkdir(parents=True)
    page.write_text("<p>")
    store.publish(Manifest("reports/page", MONTH, "c" * 32, "1-abc", {}, store.describe_files([page])))
    store.point_latest("reports", "2025-06")
    (store.root / "decisions.csv").write_text("decided_on\n")
    (store.root / "dagster").mkdir()
    (store.root / "dagster" / "log.db").write_text("x")
    (store.root / "demo" / "manifests").mkdir(parents=True)
    (store.root / "demo" / "decisions.csv").write_text("of another data folder")
    (store.root / ".decisions.csv.0123abcd").write_text("half")
    return store


@pytest.fixture
def backup(store, tmp_path):
    """The backup of it, with a settings file."""
    settings = tmp_path / "segmentation.yaml"
    settings.write_text("profile: demo\n")
    write_backup(store.root, tmp_path / "shop.tar.zst", settings_file=settings)
    return tmp_path / "shop.tar.zst"


def left_beside(folder):
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


def test_everything_stored_comes_back_in_another_place(store, backup, tmp_path):
    root = tmp_path / "elsewhere" / "copy"
    listing = restore_backup(backup, root)
    copy = TableStore(root, kept_versions=1)
    assert copy.table_paths(KEY, MONTH)[0].read_text() == "new"
    assert copy.manifest(KEY, MONTH) == store.manifest(KEY, MONTH)
    assert all(copy.is_intact(copy.manifest(key, part)) for key, part in ((SLICED, "all"), ("reports/page", MONTH)))
    assert (root / "reports" / "latest" / "page.html").read_text() == "<p>"
    assert (root / "decisions.csv").read_text() == "decided_on\n"
    assert (root / "settings_of_backup.yaml").read_text() == "profile: demo\n"
    assert not (root / "dagster").exists()
    assert not (root / "demo").exists()
    assert len(listing["files"]) == len(
        [
            path
            for path in root.rglob("*")
            if path.is_file()
            and ".." not in str(path)
            and path.parent.name != "latest"
            and path.name != "settings_of_backup.yaml"
        ]
    )
    assert put_in_force(copy, find_version(copy, content_of("old")))
    again = tmp_path / "again.tar.zst"
    write_backup(root, again, settings_file=root / "settings_of_backup.yaml")
    restore_backup(again, tmp_path / "third")


def test_a_search_that_is_going_on_is_taken_as_of_one_moment(store, tmp_path):
    path = store.root / "tuning" / "kmeans" / "study.db"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as going_on:
        going_on.execute("CREATE TABLE trials (number INTEGER)")
        going_on.execute("INSERT INTO trials VALUES (1)")
        going_on.commit()
        going_on.execute("INSERT INTO trials VALUES (2)")
        write_backup(store.root, tmp_path / "shop.tar.zst")
    restore_backup(tmp_path / "shop.tar.zst", tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy" / "tuning" / "kmeans" / "study.db")) as copy:
        assert copy.execute("SELECT number FROM trials").fetchall() == [(1,)]


def test_what_is_left_out_is_not_stored_in_the_copy(store, tmp_path):
    write_backup(store.root, tmp_path / "b.tar.zst", left_out=("reports",))
    listing = restore_backup(tmp_path / "b.tar.zst", tmp_path / "copy")
    assert listing["left_out"] == ["reports"]
    assert TableStore(tmp_path / "copy").manifest("reports/page", MONTH) is None


def test_a_damaged_result_stops_the_backup_and_leaves_no_file(store, tmp_path):
    store.table_paths(KEY, MONTH)[0].write_text("NEW")
    with pytest.raises(
        DataError, match=r"tables/gold/example/.* is missing, or differs from its SHA-256; nothing was w"
    ):
        write_backup(store.root, tmp_path / "b.tar.zst")
    assert (list(tmp_path.glob("*.zst")), left_beside(tmp_path)) == ([], [])


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("shop.tar.zst", "shop.tar.zst exists\nHint: name another file"),
        ("data/b.tar.zst", "lies in the data folder that is to be backed up"),
    ],
)
def test_a_target_that_exists_or_lies_in_the_data_folder_is_refused(store, backup, tmp_path, target, message):
    with pytest.raises(DataError, match=message):
        write_backup(store.root, tmp_path / target)


def test_without_a_data_folder_there_is_nothing_to_back_up(tmp_path):
    with pytest.raises(DataError, match="there is no data folder"):
        write_backup(tmp_path / "nowhere", tmp_path / "b.tar.zst")


def test_a_result_that_is_replaced_meanwhile_is_taken_as_it_was(store, tmp_path, monkeypatch):
    taken = []

    def replace_first(folder, *arguments):
        taken.append(store_table(store, "newest", hours=2))
        return iter(())

    monkeypatch.setattr("segmentation_assets.storage.backup.version_folders", replace_first)
    monkeypatch.setattr("segmentation_assets.storage.backup._Archive._take_files", _after(replace_first))
    write_backup(store.root, tmp_path / "b.tar.zst")
    restore_backup(tmp_path / "b.tar.zst", tmp_path / "copy")
    copy = TableStore(tmp_path / "copy")
    assert copy.table_paths(KEY, MONTH)[0].read_text() == "new"
    assert store.table_paths(KEY, MONTH)[0].read_text() == "newest"


def _after(first):
    from segmentation_assets.storage.backup import _Archive

    take = _Archive._take_files
    done = []

    def take_files(self, files):
        files = list(files)
        if not done and any(file.path.startswith(f"tables/{KEY}") for file in files):
            done.append(first(None))
        take(self, files)

    return take_files


def test_a_folder_that_is_not_empty_is_never_restored_into(backup, tmp_path):
    (tmp_path / "copy").mkdir()
    restore_backup(backup, tmp_path / "copy")
    with pytest.raises(DataError, match="copy is not empty\nHint: restore into a folder that does not exist"):
        restore_backup(backup, tmp_path / "copy")


def test_a_kill_while_restoring_leaves_no_data_folder(backup, tmp_path, monkeypatch):
    def killed(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("segmentation_assets.storage.backup_reading._compare", killed)
    with pytest.raises(KeyboardInterrupt):
        restore_backup(backup, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    assert left_beside(tmp_path) == []


def test_a_backup_that_is_cut_off_is_refused_at_every_length(backup, tmp_path):
    whole = backup.read_bytes()
    for share in (0, 0.1, 0.5, 0.9):
        (tmp_path / "cut.tar.zst").write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(DataError, match="cut.tar.zst cannot be restored: .*\nHint: nothing was restored"):
            restore_backup(tmp_path / "cut.tar.zst", tmp_path / "copy")
        assert not (tmp_path / "copy").exists()


def members_of(backup):
    content = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(backup.read_bytes())).read()
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return [(entry, archive.extractfile(entry).read()) for entry in archive]


def pack(path, members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for entry, content in members:
            entry.size = len(content) if entry.isreg() else 0
            archive.addfile(entry, io.BytesIO(content))
    path.write_bytes(zstandard.ZstdCompressor().compress(stream.getvalue()))


def odd_member(name, kind=tarfile.REGTYPE, target=""):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry, b"odd"


@pytest.mark.parametrize(
    "odd",
    [
        odd_member("/etc/x"),
        odd_member("data/../../x"),
        odd_member("data"),
        odd_member("elsewhere/x"),
        odd_member("data/x", tarfile.SYMTYPE, "/etc/passwd"),
        odd_member("data/x", tarfile.LNKTYPE, "data/decisions.csv"),
        odd_member("data/x", tarfile.FIFOTYPE),
        odd_member("data/x", tarfile.DIRTYPE),
    ],
)
def test_members_that_could_leave_the_folder_are_refused(backup, tmp_path, odd):
    pack(tmp_path / "odd.tar.zst", [odd, *members_of(backup)])
    with pytest.raises(DataError, match="is no plain file below its data folder"):
        restore_backup(tmp_path / "odd.tar.zst", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda members: [*members[:1], odd_member("data/added"), *members[1:]], "data/added|added differs from what"),
        (lambda members: members[1:], "differs from what backup.json says"),
        (lambda members: [(members[0][0], b"other"), *members[1:]], "differs from what backup.json says"),
        (lambda members: members[:-1], "it is cut off, as backup.json at its end is missing"),
        (lambda members: [members[0], *members], "is in it twice"),
        (
            lambda members: [*members[:-1], (members[-1][0], b'{"format": 9}')],
            "its format is 9, and this version reads 1",
        ),
        (lambda members: [*members[:-1], (members[-1][0], b"{")], "backup.json is not readable"),
        (
            lambda members: [(one, b"evil: 1" if one.name == "settings.yaml" else text) for one, text in members],
            "settings.yaml differs from what backup.json says",
        ),
    ],
)
def test_a_backup_that_was_changed_is_refused(backup, tmp_path, change, message):
    pack(tmp_path / "odd.tar.zst", change(members_of(backup)))
    with pytest.raises(DataError, match=message):
        restore_backup(tmp_path / "odd.tar.zst", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_link_to_the_newest_month_is_made_only_for_a_month(backup, tmp_path):
    *files, (entry, content) = members_of(backup)
    listing = json.loads(content) | {"latest": {"reports": "../..", "models": "2025-06"}}
    pack(tmp_path / "odd.tar.zst", [*files, (entry, json.dumps(listing).encode())])
    restore_backup(tmp_path / "odd.tar.zst", tmp_path / "copy")
    assert not (tmp_path / "copy" / "reports" / "latest").exists()


def test_the_newest_backup_of_a_folder_is_taken(tmp_path):
    for name, seconds in (("b.tar.zst", 10), ("a.tar.zst", 20), ("notes.txt", 30)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (seconds, seconds))
    assert newest_backup(tmp_path).name == "a.tar.zst"
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty holds no backup\nHint: a backup is a file named \*.tar.zst"):
        newest_backup(tmp_path / "empty")
    with pytest.raises(DataError, match="there is no backup"):
        newest_backup(tmp_path / "nowhere")
