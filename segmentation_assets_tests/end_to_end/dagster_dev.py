"""A real `dagster dev` on a folder: started in a group of its own, asked over GraphQL, ended with all its processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segmentation_assets_tests.end_to_end.commands import PATIENCE_SECONDS, environment

LOCATION = "segmentation_assets.definitions"

REPOSITORY_NAME = "__repository__"

POLL_SECONDS = 2

ENDED = ("SUCCESS", "FAILURE", "CANCELED")

_RUNS = """query($limit: Int) { runsOrError(limit: $limit) { ... on Runs { results {
    runId jobName status endTime assetSelection { path } tags { key value } } } } }"""

_MATERIALIZATIONS = """query($limit: Int) { assetNodes { assetKey { path } assetMaterializations(limit: $limit) {
    runId partition timestamp metadataEntries { label ... on BoolMetadataEntry { boolValue } } } } }"""

_SENSOR = """query($selector: SensorSelector!) { sensorOrError(sensorSelector: $selector) {
    ... on Sensor { sensorState { ticks(limit: 20) { timestamp status skipReason runIds error { message } } } }
    ... on PythonError { message } } }"""


_AGAIN = """mutation($params: ReexecutionParams!) { launchRunReexecution(reexecutionParams: $params) { __typename
    ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""


@dataclass(frozen=True)
class Run:
    """A run as Dagster tells it."""

    run_id: str
    job: str
    status: str
    ended_at: float
    keys: frozenset[str]
    tags: dict[str, str]

    @property
    def month(self) -> str:
        """Partition of the run, or nothing."""
        return self.tags.get("dagster/partition", "")


class DagsterDev:
    """Web server, daemon and code server of one folder.

    Use as a context manager.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self.log = folder / "dagster_dev.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> DagsterDev:
        """Start, and wait until the code location is loaded."""
        with self.log.open("wb") as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "dagster", "dev", "-h", "127.0.0.1", "-p", str(self.port)],
                cwd=self.folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait_for(self._is_loaded, "the code location is loaded")
        return self

    def __exit__(self, *_: object) -> None:
        """End every process of the group."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _is_loaded(self) -> bool:
        try:
            answer = self.ask("{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }")
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        return bool(answer["repositoriesOrError"].get("nodes"))

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Send a GraphQL query and return its data."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        address = f"http://127.0.0.1:{self.port}/graphql"
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def wait_for(self, condition: Callable[[], Any], what: str) -> Any:
        """Look until the condition holds and return what it returned."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := condition()):
            assert time.monotonic() < deadline, f"still not: {what}\n{self._last_lines()}"
            time.sleep(POLL_SECONDS)
        return found

    def _last_lines(self) -> str:
        runs = "\n".join(f"{run.job} {run.month} {run.status} {run.tags}" for run in self.runs()[-8:])
        return f"{runs}\n{self.log.read_text(encoding='utf-8', errors='replace')[-3000:]}"

    def reload(self) -> None:
        """Have the code location read its settings again."""
        answer = self.ask(
            "mutation($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name) { __typename } }",
            name=LOCATION,
        )
        assert answer["reloadRepositoryLocation"]["__typename"] == "WorkspaceLocationEntry", answer

    def runs(self) -> list[Run]:
        """All runs, oldest first."""
        results = self.ask(_RUNS, limit=500)["runsOrError"]["results"]
        return [_run(result) for result in reversed(results)]

    def runs_since(self, known: list[Run]) -> list[Run]:
        """Runs that are not among the known ones, oldest first."""
        ids = {run.run_id for run in known}
        return [run for run in self.runs() if run.run_id not in ids]

    def wait_until_quiet(self, known: list[Run]) -> list[Run]:
        """Wait until there are new runs, all have ended and nothing is left to do; return them."""
        self.wait_for(lambda: self._is_quiet(known), "new runs have come and ended")
        return self.runs_since(known)

    def _is_quiet(self, known: list[Run]) -> bool:
        """Whether catch-up and automation have found nothing to do in several looks since the last new run ended."""
        runs = self.runs_since(known)
        if not runs or any(run.status not in ENDED for run in runs):
            return False
        ended_at = max(run.ended_at for run in runs)
        catch_up, automation = (self.ticks(name, ended_at) for name in ("catch_up_sensor", "on_data_change_sensor"))
        return (
            min(len(catch_up), len(automation)) > 3
            and all("is up to date" in (tick["skipReason"] or "") for tick in catch_up[:3])
            and not any(tick["runIds"] for tick in automation[:3])
        )

    def execute_again(self, run: Run) -> Run:
        """Execute all steps of a run again, as the button of its page does; return the new run when it has ended."""
        params = {"parentRunId": run.run_id, "strategy": "ALL_STEPS"}
        answer = self.ask(_AGAIN, params=params)["launchRunReexecution"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return self.wait_for_end(answer["run"]["runId"])

    def wait_for_end(self, run_id: str) -> Run:
        """Wait until a run has ended and return it."""

        def find() -> Run | None:
            return next((run for run in self.runs() if run.run_id == run_id and run.status in ENDED), None)

        found: Run = self.wait_for(find, f"run {run_id} has ended")
        return found

    def materializations(self, runs: list[Run]) -> Counter[tuple[str, str, bool]]:
        """Count what runs materialised, from the event log: asset key, partition, whether it was kept."""
        ids = {run.run_id for run in runs}
        found: Counter[tuple[str, str, bool]] = Counter()
        for node in self.ask(_MATERIALIZATIONS, limit=200)["assetNodes"]:
            key = "/".join(node["assetKey"]["path"])
            for event in node["assetMaterializations"]:
                if event["runId"] in ids:
                    kept = {entry["label"]: entry.get("boolValue") for entry in event["metadataEntries"]}["kept"]
                    found[key, event["partition"] or "", bool(kept)] += 1
        return found

    def selector(self, kind: str, name: str) -> dict[str, str]:
        """Selector of a sensor, schedule or job of the code location."""
        place = {"repositoryName": REPOSITORY_NAME, "repositoryLocationName": LOCATION}
        return {**place, kind: name}

    def wait_for_looks(self, sensor: str, count: int, since: float) -> None:
        """Wait until a sensor has looked so many times since an instant."""
        self.wait_for(lambda: len(self.ticks(sensor, since)) >= count, f"{sensor} has looked {count} times")

    def ticks(self, sensor: str, since: float = 0) -> list[dict[str, Any]]:
        """The latest ticks of a sensor that have ended and began after an instant, newest first."""
        answer = self.ask(_SENSOR, selector=self.selector("sensorName", sensor))["sensorOrError"]
        return [
            tick for tick in answer["sensorState"]["ticks"] if tick["status"] != "STARTED" and tick["timestamp"] > since
        ]


def _run(result: dict[str, Any]) -> Run:
    return Run(
        result["runId"],
        result["jobName"],
        result["status"],
        result["endTime"] or 0.0,
        frozenset("/".join(key["path"]) for key in result["assetSelection"] or ()),
        {tag["key"]: tag["value"] for tag in result["tags"]},
    )


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
