"""`segmentation tune`: searches for better settings of a model, and writes what it found as a patch."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from segmentation_assets.cli.opening import load_from_arguments
from segmentation_assets.cli.progress import close_log, open_log
from segmentation_assets.cli.tuning_inputs import (
    AnyObjective,
    TuningRequest,
    compare_on_validation,
    find_month,
    find_study_name,
    make_objective,
)
from segmentation_assets.clustering.registry import ALGORITHMS
from segmentation_assets.config.settings import Settings
from segmentation_assets.errors import plural
from segmentation_assets.graph.platform import Platform
from segmentation_assets.interrupts import as_interrupts
from segmentation_assets.prediction.tuning_patch import (
    TuningBasis,
    changed_settings,
    describe_scores,
    patch_text,
    trials_csv,
)
from segmentation_assets.prediction.tuning_scores import Tried, judge_trials
from segmentation_assets.prediction.tuning_space import TuningSpace, find_space
from segmentation_assets.prediction.tuning_study import comparable_trials, measure_importance, open_study
from segmentation_assets.storage.text_files import write_bytes_whole, write_text_whole

STUDY_FILE = "study.db"

Say = Callable[[str], None]


def tune(parsed: argparse.Namespace) -> int:
    """Try settings of a model on a stored month, and print and write what is recommended."""
    platform = Platform(load_from_arguments(parsed).settings)
    settings = platform.settings
    space = find_space(parsed.model, settings)
    own_seed = settings.clustering.seed if parsed.model in ALGORITHMS else settings.prediction.seed
    seed = own_seed if parsed.seed is None else parsed.seed
    request = TuningRequest(platform, parsed.model, parsed.month, parsed.cv_folds, seed)
    month = find_month(request)
    folder, say = platform.data_dir / "tuning" / parsed.model, _progress()
    handler = open_log(platform.data_dir, f"tune-{parsed.model}", parsed.log_level)
    try:
        with platform.store.lock(f"tuning/{parsed.model}", "all", on_wait=lambda: say("waiting for another search")):
            objective = make_objective(request, month)
            tried = _search(request, month, space, objective, parsed.trials, folder / STUDY_FILE, say)
            basis = TuningBasis(
                model=parsed.model,
                month=month[:7],
                score_name=objective.score_name,
                customers=objective.rests_on,
                folds=parsed.cv_folds,
                trials=len(tried),
                seed=seed,
                notes=objective.notes,
            )
            print(_conclude(basis, tried, space, objective, settings, folder))
    finally:
        close_log(handler)
    return 0


def _progress() -> Say:
    """Return what prints a line with the time since now, on stderr."""
    started = time.perf_counter()
    return lambda text: print(f"[{time.perf_counter() - started:6.1f} s] {text}", file=sys.stderr, flush=True)


def _search(
    request: TuningRequest,
    month: str,
    space: TuningSpace,
    objective: AnyObjective,
    trials: int,
    path: Path,
    say: Say,
) -> list[Tried]:
    """Try settings until there are as many trials as wanted; an interrupt leaves those that are finished."""
    with open_study(path, find_study_name(request, month, space)) as study:
        known = study.tried()
        say(f"{request.model} {month[:7]}: {objective.score_name} by {request.folds} folds on {objective.rests_on}")
        if known:
            say(f"stored already: {plural(len(known), 'trial')}; {max(0, trials - len(known))} to go")
        elif study.other_studies:
            say("data, settings, folds or seed differ from those of earlier trials: a new study begins")
        best = max((one.score for one in known if one.is_usable), default=float("-inf"))

        def tell(one: Tried) -> None:
            nonlocal best
            is_best = one.is_usable and one.score > best
            best = max(best, one.score) if one.is_usable else best
            drawn = ", ".join(f"{name} {value}" for name, value in one.draw.parameters.items()) or "settings in force"
            mark = ", best so far" if is_best else ""
            say(f"trial {one.number} of {trials}: {one.words}{mark} ({drawn})")

        try:
            with as_interrupts(KeyboardInterrupt):
                return study.search(
                    space, objective, request.platform.settings, trials=trials, seed=request.seed, on_trial=tell
                )
        except KeyboardInterrupt:
            done = len(study.tried())
            say(f"finished trials: {done} of {trials}, in {path}; the same command goes on with the rest")
            raise


def _conclude(
    basis: TuningBasis,
    tried: Sequence[Tried],
    space: TuningSpace,
    objective: AnyObjective,
    settings: Settings,
    folder: Path,
) -> str:
    """Write the files of a search, and return what is printed."""
    from segmentation_assets.reporting.tuning_figures import draw_history, draw_importance

    verdict = judge_trials(tried)
    lines = describe_scores(verdict, compare_on_validation(objective, verdict, settings), basis.score_name)
    changed = changed_settings(verdict, settings)
    patch = patch_text(basis, verdict, changed, lines)
    compared = comparable_trials(tried)
    importance = measure_importance(compared, space, basis.seed)
    write_text_whole(folder / "patch.yaml", patch)
    write_text_whole(folder / "trials.csv", trials_csv(tried))
    write_bytes_whole(folder / "history.png", draw_history(tried, verdict, basis))
    write_bytes_whole(folder / "importance.png", draw_importance(importance, compared, basis))
    return f"{patch.rstrip()}\n\nwritten to {folder}: patch.yaml, trials.csv, history.png, importance.png"
