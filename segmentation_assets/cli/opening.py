"""From command-line arguments to settings and platform."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping
from pathlib import Path

from segmentation_assets.clustering.registry import find_algorithm
from segmentation_assets.config.loading import LoadedSettings, load_settings
from segmentation_assets.errors import SettingsError
from segmentation_assets.graph.feature_settings import require_sound_features

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}")


def load_from_arguments(parsed: argparse.Namespace) -> LoadedSettings:
    """Load the settings that the arguments and the environment call for."""
    dagster_home = environment_of(parsed).get("DAGSTER_HOME")
    if dagster_home:
        os.environ["DAGSTER_HOME"] = dagster_home
    return load_settings(
        config=parsed.config,
        profile=parsed.profile,
        environment=environment_of(parsed),
        overrides=_overrides(parsed),
        check=require_sound_features,
    )


def environment_of(parsed: argparse.Namespace) -> Mapping[str, str]:
    """Return the environment, with the file given by ``--env`` below it."""
    return {**(read_environment_file(parsed.env) if parsed.env else {}), **os.environ}


def read_environment_file(path: Path) -> dict[str, str]:
    """Read KEY=VALUE lines; blank lines and lines that start with # are passed over.

    A value may hold ``${NAME}`` of the process environment, as in ``DAGSTER_HOME=${PWD}``.

    Raises
    ------
    SettingsError
        The file is missing or no UTF-8 text, or a line has no equals sign.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as problem:
        raise SettingsError(f"{path}: there is no such file", "name an existing file after --env.") from problem
    except (IsADirectoryError, UnicodeDecodeError) as problem:
        raise SettingsError(f"{path}: is no UTF-8 text file", "name a file of KEY=VALUE lines.") from problem
    found = {}
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, sign, value = text.partition("=")
        if not sign:
            raise SettingsError(f"{path}:{number}: '{text}' has no equals sign", "write KEY=VALUE.")
        found[name.strip()] = _VARIABLE.sub(_value_of, value.strip().strip("\"'"))
    return found


def _value_of(variable: re.Match[str]) -> str:
    """Return what a variable of the process environment holds; one that is not set stays as it is written."""
    return os.environ.get(variable["name"], variable[0])


def _overrides(parsed: argparse.Namespace) -> dict[str, object]:
    found: dict[str, object] = {}
    if getattr(parsed, "customers", None) is not None:
        found["synthetic.customers"] = parsed.customers
    for name in getattr(parsed, "skip", []):
        found[f"{find_algorithm(name).settings_path}.enabled"] = False
    return found
