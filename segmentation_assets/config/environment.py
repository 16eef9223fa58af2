"""Settings from environment variables: SEGMENTATION__SECTION__KEY=value, and three names of their own."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from segmentation_assets.config.layers import KeyPath, Layer, Origin, layer_of, merge
from segmentation_assets.config.schema import is_text, may_be_null
from segmentation_assets.config.yaml_document import read_value
from segmentation_assets.errors import SettingsError

CONFIG_VARIABLE = "SEGMENTATION_CONFIG"

_PREFIX = "SEGMENTATION_"
_SETTING_PREFIX = "SEGMENTATION__"
_NAMED_SETTINGS: dict[str, KeyPath] = {
    "SEGMENTATION_DATA_DIR": ("data_dir",),
    "SEGMENTATION_PROFILE": ("profile",),
}


def config_from_environment(environment: Mapping[str, str]) -> Path | None:
    """Return the settings file that the environment names; ``None`` when it names none."""
    named = environment.get(CONFIG_VARIABLE, "")
    return Path(named) if named else None


def environment_name(path: KeyPath) -> str:
    """Return the environment variable that a setting can be given in."""
    return _SETTING_PREFIX + "__".join(map(str, path)).upper()


def environment_layer(environment: Mapping[str, str]) -> Layer:
    """Collect the settings of an environment.

    Parameters
    ----------
    environment : Mapping of str to str
        Variables by name; empty ones count as absent.

    Returns
    -------
    Layer
        Values are read as YAML. Plain text is taken as it is; ``null`` takes back an optional one.

    Raises
    ------
    SettingsError
        A name is close to a known one but is not it, a value is no YAML, or two variables set the same key.
    """
    layer = Layer({})
    set_by: dict[KeyPath, str] = {}
    for name in sorted(environment):
        path = _setting_path(name)
        if path is None or not environment[name]:
            continue
        if path in set_by:
            raise SettingsError(f"environment variables {set_by[path]} and {name} set the same.", "keep one of them.")
        set_by[path] = name
        origin = Origin("environment", f"environment variable {name}", environment[name])
        layer = merge(layer, layer_of(path, _value(path, environment[name], name), origin))
    return layer


def _setting_path(name: str) -> KeyPath | None:
    """Return the setting that a variable stands for; ``None`` when it is not ours."""
    if name in _NAMED_SETTINGS:
        return _NAMED_SETTINGS[name]
    if not name.startswith(_PREFIX) or name == CONFIG_VARIABLE:
        return None
    if name.startswith(_SETTING_PREFIX):
        return tuple(part.lower() for part in name.removeprefix(_SETTING_PREFIX).split("__"))
    _refuse_near_miss(name)
    return None


def _refuse_near_miss(name: str) -> None:
    """Refuse a misspelt name; other programs may use the prefix for names of their own."""
    rest = name.removeprefix(_PREFIX)
    if "__" in rest:
        raise SettingsError(
            f"environment variable {name} is not a setting.", f"did you mean '{_SETTING_PREFIX}{rest}'?"
        )
    known = [variable.removeprefix(_PREFIX) for variable in (CONFIG_VARIABLE, *_NAMED_SETTINGS)]
    matches = get_close_matches(rest, known, n=1, cutoff=0.75)
    if matches:
        raise SettingsError(f"environment variable {name} is not a setting.", f"did you mean '{_PREFIX}{matches[0]}'?")


def _value(path: KeyPath, text: str, name: str) -> object:
    if name not in _NAMED_SETTINGS and is_text(path):
        return None if text == "null" and may_be_null(path) else text
    return text if name in _NAMED_SETTINGS else read_value(text, f"environment variable {name}")
