"""Arguments of the `segmentation` command."""

from __future__ import annotations

import argparse
import datetime as dt
import re
from pathlib import Path

from segmentation_assets import __version__
from segmentation_assets.cli.data_parser import add_data_commands

DEFAULT_FILE = "segmentation.yaml"

_LAST_PORT = 65_535

_FEWEST_FOLDS, _MOST_FOLDS = 2, 20

LOG_LEVELS = ("debug", "info", "warning", "error")


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of the whole command."""
    parser = argparse.ArgumentParser(
        prog="segmentation", description="Customer segmentation: order lines in, named segments out."
    )
    parser.add_argument("--version", action="version", version=f"segmentation {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    shared = _shared_arguments()
    _add_init(commands)
    _add_run(commands, shared)
    _add_status(commands, shared)
    _add_report(commands, shared)
    _add_decisions(commands, shared)
    _add_explain(commands, shared)
    _add_models(commands, shared)
    _add_predict(commands, shared)
    _add_tune(commands, shared)
    add_data_commands(commands, shared, _month)
    _add_runs(commands, shared)
    _add_dictionary(commands, shared)
    _add_reference(commands, shared)
    _add_config(commands, shared)
    _add_ui(commands, shared)
    return parser


def _shared_arguments() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--profile", metavar="NAME", help="packaged profile: demo or default")
    shared.add_argument("--config", type=Path, metavar="FILE", help="settings file; ./segmentation.yaml if it exists")
    shared.add_argument("--env", type=Path, metavar="FILE", help="file of environment settings, KEY=VALUE per line")
    shared.add_argument("--log-level", choices=LOG_LEVELS, default="info", help="least level written to the log file")
    return shared


def _add_init(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    init = commands.add_parser("init", help="look at own files and propose a settings file, every guess marked")
    init.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="order lines and, where there are, more; or a folder"
    )
    init.add_argument(
        "--output",
        type=Path,
        default=Path(DEFAULT_FILE),
        metavar="FILE",
        help=f"settings file to write; {DEFAULT_FILE} by default",
    )
    init.add_argument("--force", action="store_true", help="replace the settings file if there is one")


def _add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    run = commands.add_parser("run", parents=[shared], help="bring everything up to date")
    run.add_argument("--customers", type=_positive, metavar="N", help="customers ever of the synthetic shop")
    run.add_argument(
        "--months",
        type=_positive,
        metavar="K",
        help="only the newest K snapshot months, and earlier ones they build on that are not up to date",
    )
    run.add_argument(
        "--month",
        type=_month,
        metavar="YYYY-MM",
        help="only this snapshot month, and earlier ones it builds on that are not up to date",
    )
    run.add_argument("--only", action="append", metavar="LAYER|ASSET", help="only this layer or asset; repeatable")
    run.add_argument(
        "--skip",
        action="append",
        default=[],
        metavar="ALGORITHM",
        help="leave this algorithm out of this run, as clustering.algorithms.ALGORITHM.enabled: false does; repeatable",
    )
    run.add_argument(
        "--rebuild-from",
        type=_month,
        metavar="YYYY-MM",
        help="make this closed month and the ones after it again; the restatement is written down",
    )
    run.add_argument("--reason", default="asked for", metavar="TEXT", help="why, for the record of --rebuild-from")
    run.add_argument("--force", action="store_true", help="compute everything again, changed or not")


def _add_status(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    status = commands.add_parser("status", parents=[shared], help="list what is stored and what is stale, and why")
    status.add_argument("--all", action="store_true", help="list what is up to date too")
    status.add_argument(
        "--verify",
        action="store_true",
        help="read every stored file, also those that look untouched since the last look",
    )
    status.add_argument(
        "--month", type=_month, metavar="YYYY-MM", help="only the months up to this one, and what they share"
    )
    status.add_argument("--exit-code", action="store_true", help="exit with 1 when anything is not up to date")
    status.add_argument(
        "--nothing-computed", action="store_true", help="exit with 1 when the newest run computed anything"
    )


def _add_report(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    report = commands.add_parser("report", parents=[shared], help="write a month's reports and exports again")
    report.add_argument("--month", type=_month, metavar="YYYY-MM", help="snapshot month; the newest by default")


def _add_decisions(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    decided = argparse.ArgumentParser(add_help=False)
    decided.add_argument(
        "--month", type=_month, metavar="YYYY-MM", help="snapshot month it holds in or from; the newest by default"
    )
    decided.add_argument("--by", metavar="NAME", help="who decided; the user of this computer by default")
    promote = commands.add_parser(
        "promote", parents=[shared, decided], help="put a candidate in force that passes its gates"
    )
    promote.add_argument(
        "algorithm", nargs="?", default="best", metavar="ALGORITHM", help="candidate, or rfm_map; the best by default"
    )
    promote.add_argument("--reason", default="asked for", metavar="TEXT", help="why, for the record")
    rename = commands.add_parser("rename", parents=[shared, decided], help="give a segment a name of your own")
    rename.add_argument("segment_key", metavar="KEY", help="segment, such as S001")
    rename.add_argument("name", metavar="NAME", help="its name from the month on; it stays with the key")
    suppress = commands.add_parser("suppress", parents=[shared, decided], help="mark a customer as not to be addressed")
    suppress.add_argument("customer_id", metavar="CUSTOMER_ID")
    suppress.add_argument("--reason", default="asked for", metavar="TEXT", help="why, for the record")
    erase = commands.add_parser("erase", parents=[shared, decided], help="keep nothing of a customer any more")
    erase.add_argument("customer_id", metavar="CUSTOMER_ID")
    erase.add_argument("--reason", default="asked for", metavar="TEXT", help="why, for the record")


def _add_explain(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    explain = commands.add_parser(
        "explain", parents=[shared], help="say why a customer is in its segment, and what would class it otherwise"
    )
    explain.add_argument("customer_id", metavar="CUSTOMER_ID")
    explain.add_argument("--month", type=_month, metavar="YYYY-MM", help="snapshot month; the newest by default")
    explain.add_argument("--json", action="store_true", help="print JSON")


def _add_dictionary(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    dictionary = commands.add_parser(
        "dictionary", parents=[shared], help="print what every feature of the settings means, as Markdown"
    )
    dictionary.add_argument("--output", type=Path, metavar="FILE", help="write it to this file instead")


def _add_reference(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    reference = commands.add_parser(
        "reference", parents=[shared], help="reproduce published figures by the conventions of the reference block"
    )
    reference.add_argument("--json", action="store_true", help="print JSON")


def _add_models(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    models = commands.add_parser("models", help="list, show, compare or archive stored models")
    actions = models.add_subparsers(dest="action", required=True, metavar="ACTION")
    as_json = argparse.ArgumentParser(add_help=False)
    as_json.add_argument("--json", action="store_true", help="as JSON")
    actions.add_parser("list", parents=[shared, as_json], help="list models with month, size, uses and aliases")
    show = actions.add_parser("show", parents=[shared], help="print all that is known of a model, as JSON")
    compare = actions.add_parser("compare", parents=[shared, as_json], help="show in what two models differ")
    archive = actions.add_parser("archive", parents=[shared], help="move a model that nothing uses out of the store")
    for action in (show, compare, archive):
        action.add_argument(
            "model", metavar="MODEL", help="alias such as champion, or NAME@HASH; digits enough to tell"
        )
    compare.add_argument("other", metavar="OTHER", help="the other model, likewise")


def _add_predict(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    predict = commands.add_parser("predict", parents=[shared], help="score the customers of a file by stored models")
    predict.add_argument(
        "--input",
        type=Path,
        required=True,
        metavar="FILE",
        help="order lines, mapped as the delivery is, or a row of features per customer; CSV, Parquet or Excel",
    )
    predict.add_argument(
        "--output", type=Path, required=True, metavar="FILE", help="file to write: .csv, .parquet or .xlsx"
    )
    predict.add_argument("--month", type=_month, metavar="YYYY-MM", help="month of the models; the newest by default")
    predict.add_argument(
        "--as-of",
        type=_day,
        metavar="YYYY-MM-DD",
        help="of order lines, those before this day count; by default the as-of date of the month",
    )
    predict.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="MODEL",
        help="model to take in place of the one in force, as NAME@HASH or alias; segment_classifier_champion tells "
        "segments without the clustering; repeatable",
    )
    predict.add_argument("--reasons", type=_count, metavar="N", help="most reasons of each kind; 0 for none")
    predict.add_argument("--sheet", action="append", default=[], metavar="NAME", help="sheet of a workbook; repeatable")


def _add_tune(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    tune = commands.add_parser(
        "tune", parents=[shared], help="search for better settings of a model, and write them as a patch"
    )
    tune.add_argument(
        "--model", required=True, metavar="MODEL", help="churn, segment_classifier or a clustering algorithm"
    )
    tune.add_argument(
        "--trials", type=_positive, default=100, metavar="N", help="trials in all, with those of earlier calls; 100"
    )
    tune.add_argument("--cv-folds", type=_folds, default=5, metavar="K", help="folds of customers; 5 by default")
    tune.add_argument(
        "--month", type=_month, metavar="YYYY-MM", help="snapshot month; the newest that has what it takes by default"
    )
    tune.add_argument(
        "--seed", type=_count, metavar="N", help="of folds and search; the seed of the settings by default"
    )


def _add_runs(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    runs = commands.add_parser("runs", help="list, show or compare recorded runs, or send them to MLflow")
    actions = runs.add_subparsers(dest="action", required=True, metavar="ACTION")
    as_json = argparse.ArgumentParser(add_help=False)
    as_json.add_argument("--json", action="store_true", help="as JSON")
    actions.add_parser("list", parents=[shared, as_json], help="list runs, newest first")
    show = actions.add_parser(
        "show", parents=[shared, as_json], help="print parameters, metrics, seeds and hashes of what a run made or kept"
    )
    compare = actions.add_parser(
        "compare", parents=[shared, as_json], help="show in what settings, data, results and versions two runs differ"
    )
    actions.add_parser("send", parents=[shared], help="send MLflow what it has not had (tracking.mlflow)")
    for action in (show, compare):
        action.add_argument("run", metavar="RUN", help="run id, or its first characters; latest is the newest")
    compare.add_argument("other", metavar="OTHER", help="the other run, likewise")


def _add_config(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    config = commands.add_parser("config", help="check, show or describe the settings")
    actions = config.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("check", parents=[shared], help="read the settings and say what they lead to")
    actions.add_parser("show", parents=[shared], help="print the settings in force and where each comes from")
    actions.add_parser("schema", parents=[shared], help="print the JSON Schema of the settings")


def _add_ui(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    ui = commands.add_parser("ui", parents=[shared], help="start the Dagster UI on this data folder")
    ui.add_argument("--port", type=_port, default=3000, help="port on 127.0.0.1; 3000 by default")


def _positive(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number above zero")
    return int(text)


def _count(text: str) -> int:
    return 0 if text == "0" else _positive(text)


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a day; write YYYY-MM-DD") from None


def _folds(text: str) -> int:
    number = _positive(text)
    if not _FEWEST_FOLDS <= number <= _MOST_FOLDS:
        raise argparse.ArgumentTypeError(f"{number} folds cannot be made; ask for {_FEWEST_FOLDS} to {_MOST_FOLDS}")
    return number


def _port(text: str) -> int:
    number = _positive(text)
    if number > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{number} is not a port; ports go up to {_LAST_PORT}")
    return number


def _month(text: str) -> str:
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])(-01)?", text):
        raise argparse.ArgumentTypeError(f"'{text}' is not a month; write YYYY-MM")
    return f"{text[:7]}-01"
