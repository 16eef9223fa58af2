"""Arguments of `segmentation data`, `backup` and `restore`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

LEAVABLE = ("delivery", "reports", "exports")
"""What a backup may leave out."""


def add_data_commands(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    shared: argparse.ArgumentParser,
    month: Callable[[str], str],
) -> None:
    """Add the commands about stored data; `month` reads a month."""
    _add_data(commands, shared, month)
    _add_backup(commands, shared)


def _add_data(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    shared: argparse.ArgumentParser,
    month: Callable[[str], str],
) -> None:
    data = commands.add_parser("data", help="list or restore stored versions, or apply the retention settings")
    actions = data.add_subparsers(dest="action", required=True, metavar="ACTION")
    which = argparse.ArgumentParser(add_help=False)
    which.add_argument("--key", default="", metavar="ASSET", help="only this asset, such as gold/customer_segments")
    which.add_argument("--month", type=month, metavar="YYYY-MM", help="only this month")
    listing = actions.add_parser(
        "list", parents=[shared, which], help="list every stored version of every result, with what was made from it"
    )
    listing.add_argument("--json", action="store_true", help="print JSON")
    restore = actions.add_parser(
        "restore", parents=[shared, which], help="put a version in force again, or write its files out"
    )
    restore.add_argument("hash", metavar="HASH", help="content hash as listed; at least four digits")
    restore.add_argument(
        "--to", type=Path, metavar="FOLDER", help="write its files into this new folder, and change nothing else"
    )
    prune = actions.add_parser(
        "prune", parents=[shared], help="remove what the retention settings let go, as every run does at its end"
    )
    prune.add_argument("--dry-run", action="store_true", help="only say what would go, and how much room it takes")


def _add_backup(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    backup = commands.add_parser(
        "backup", parents=[shared], help="write the whole data folder into one file, also while a run is going on"
    )
    backup.add_argument(
        "target", type=Path, metavar="FILE|FOLDER", help="file to write, such as shop.tar.zst, or a folder for it"
    )
    backup.add_argument(
        "--without",
        action="append",
        choices=LEAVABLE,
        default=[],
        help="leave this out; repeatable. The next run makes reports and exports again, and needs the delivery",
    )
    restore = commands.add_parser(
        "restore", parents=[shared], help="make a data folder from a backup, every file checked"
    )
    restore.add_argument(
        "source", type=Path, metavar="FILE|FOLDER", help="backup, or a folder of which the newest one is taken"
    )
    restore.add_argument(
        "--to", type=Path, metavar="FOLDER", help="data folder to make; that of the settings by default"
    )
