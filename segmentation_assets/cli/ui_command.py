"""`segmentation ui`: the Dagster UI on this data folder."""

from __future__ import annotations

import argparse
import os
import sys

from segmentation_assets.cli.opening import environment_of, load_from_arguments


def ui(parsed: argparse.Namespace) -> int:
    """Replace this process by `dagster dev`, with the settings passed on through the environment."""
    from segmentation_assets.orchestration.instance import instance_home

    loaded = load_from_arguments(parsed)
    environment = dict(environment_of(parsed))
    environment["SEGMENTATION_DATA_DIR"] = str(loaded.settings.data_dir)
    if parsed.profile:
        environment["SEGMENTATION_PROFILE"] = parsed.profile
    if parsed.config:
        environment["SEGMENTATION_CONFIG"] = str(parsed.config.resolve())
    environment.setdefault("DAGSTER_HOME", str(instance_home(loaded.settings.data_dir)))
    print(f"Dagster UI: http://127.0.0.1:{parsed.port} (stop it with Ctrl-C)", flush=True)
    arguments = ["-m", "dagster", "dev", "-m", "segmentation_assets.definitions", "-h", "127.0.0.1"]
    os.execve(sys.executable, [sys.executable, *arguments, "-p", str(parsed.port)], environment)
