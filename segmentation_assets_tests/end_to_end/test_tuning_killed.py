"""A search that is killed in the middle of a trial."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import os, signal, sys
from pathlib import Path
from segmentation_assets.config.loading import load_profile
from segmentation_assets.prediction.tuning_scores import FoldScores
from segmentation_assets.prediction.tuning_space import find_space
from segmentation_assets.prediction.tuning_study import open_study

kill_at, settings, judged = int(sys.argv[2]), load_profile("demo"), []

class Objective:
    def score(self, settings, algorithm):
        judged.append(settings)
        if len(judged) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        k = settings.clustering.algorithms.kmeans.k_max
        return FoldScores((1 / k, 1 / k + 0.01))

with open_study(Path(sys.argv[1]), "a") as study:
    found = study.search(
        find_space("kmeans", settings), Objective(), settings, trials=6, seed=1, on_trial=lambda one: None
    )
print(len(judged), [(one.number, one.draw.parameters, one.score) for one in found])
"""


def search(repository: Path, path: Path, kill_at: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, str(path), str(kill_at)]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)


def test_the_next_call_goes_on_with_what_was_finished(repository: Path, tmp_path: Path) -> None:
    killed = search(repository, tmp_path / "killed.db", 4)
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, "")
    gone_on = search(repository, tmp_path / "killed.db", 0)
    whole = search(repository, tmp_path / "whole.db", 0)
    assert gone_on.returncode == whole.returncode == 0, gone_on.stderr
    calls, found = gone_on.stdout.split(" ", 1)
    assert (int(calls), found) == (3, whole.stdout.split(" ", 1)[1])
