"""Loads the settings: packaged profiles, the YAML file, the environment and the command line, in this order."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from segmentation_assets.config.environment import config_from_environment, environment_layer, environment_name
from segmentation_assets.config.layers import KeyPath, Layer, Origin, dotted, layer_of, leaves, merge, without
from segmentation_assets.config.problems import describe_problems, settings_error
from segmentation_assets.config.schema import is_required_section
from segmentation_assets.config.settings import Settings
from segmentation_assets.config.shop_profile import is_shop_profile_file
from segmentation_assets.config.yaml_document import MAX_BYTES, read_yaml
from segmentation_assets.errors import SettingsError, closest_hint

DEFAULT_FILE = "segmentation.yaml"
DEFAULT_PROFILE = "default"

_SHOP_KEYS: tuple[KeyPath, ...] = (
    ("calendar",),
    *(("features", name) for name in ("departments", "classes", "child_ages", "sizes")),
)
"""What a profile says about the built-in shop and nothing else; dropped when source.kind is another."""


@dataclass(frozen=True)
class LoadedSettings:
    """The settings in force and where they come from.

    Parameters
    ----------
    settings : Settings
        Folders are absolute.
    sources : Mapping of str to str
        Dotted key of everything that some layer sets → where, such as ``segmentation.yaml:4``.
    config_path : Path or None
        The settings file that was read.
    """

    settings: Settings
    sources: Mapping[str, str]
    config_path: Path | None


def load_settings(
    *,
    config: Path | None = None,
    profile: str | None = None,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
    check: Callable[[Settings], None] | None = None,
) -> LoadedSettings:
    """Load the settings; what comes later in this list counts more.

    The packaged default profile, the packaged profile that is named, the settings file, the environment, the overrides.
    What the profiles say about the built-in shop (the calendar, its departments and classes) does not count for own
    files.

    Parameters
    ----------
    config : Path or None
        Settings file; else the one named by ``SEGMENTATION_CONFIG``, else ``segmentation.yaml`` in the working
        directory if it exists.
    profile : str or None
        Packaged profile; else the one named by the environment, by the file, or ``default``.
    environment : Mapping of str to str, optional
        ``SEGMENTATION__SECTION__KEY=value``, YAML unless the setting is text; ``SEGMENTATION_CONFIG``,
        ``SEGMENTATION_DATA_DIR`` and ``SEGMENTATION_PROFILE``.
    overrides : Mapping of str to object, optional
        Dotted key → value, from the command line.
    check : callable, optional
        Looks at the valid settings once more; where its SettingsError names a setting, the place is put before it.

    Returns
    -------
    LoadedSettings
        A relative `data_dir` is made absolute from the working directory, a relative `source.folder`,
        `synthetic.catalogue`, `population.crosswalk`, `money.exchange.file` or file in `synthetic.profile` from the
        folder of the settings file that names it, else from the working directory.

    Raises
    ------
    SettingsError
        The file cannot be read, or a setting is unknown, missing, of the wrong type or out of range; all problems are
        listed with file and line.
    """
    variables = environment or {}
    path = _find_config(config, variables)
    file_layer = _without_passwords(_read_file(path)) if path else Layer({})
    upper = merge(merge(file_layer, environment_layer(variables)), _overrides_layer(overrides or {}))
    layer = _with_absolute_folders(_above_profiles(upper, profile), path)
    loaded = _validated(layer, path)
    if check is not None:
        with _naming_places(layer):
            check(loaded.settings)
    return loaded


def load_profile(name: str = DEFAULT_PROFILE, overrides: Mapping[str, object] | None = None) -> Settings:
    """Load a packaged profile alone, whatever settings file lies in the working directory.

    Parameters
    ----------
    name : str
        Packaged profile.
    overrides : Mapping of str to object, optional
        Dotted key → value.

    Returns
    -------
    Settings

    Raises
    ------
    SettingsError
        There is no such profile, or an override cannot be used.

    Examples
    --------
    >>> load_profile("demo", {"synthetic.customers": 200}).synthetic.customers
    200
    """
    layer = _above_profiles(_overrides_layer(overrides or {}, "overrides"), name)
    return _validated(_with_absolute_folders(layer, None), None).settings


def load_settings_from_environment(
    config: Path | None = None, *, check: Callable[[Settings], None] | None = None
) -> LoadedSettings:
    """Load the settings that the process environment and the working directory call for, or a file that is named."""
    return load_settings(config=config, environment=os.environ, check=check)


@contextmanager
def _naming_places(layer: Layer) -> Iterator[None]:
    """Put the place of the setting before what is wrong with it."""
    try:
        yield
    except SettingsError as problem:
        origin = layer.origin(problem.setting)
        if origin is None:
            raise
        raise SettingsError(f"{origin.label}: {problem.message}", problem.hint, setting=problem.setting) from problem


def profile_names() -> tuple[str, ...]:
    """Return the names of the packaged profiles."""
    folder = files("segmentation_assets.config").joinpath("profiles")
    return tuple(sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml")))


def _above_profiles(upper: Layer, profile: str | None) -> Layer:
    """Lay what is set over the packaged profiles that it builds on."""
    chosen = profile if profile is not None else upper.data.get("profile", DEFAULT_PROFILE)
    merged = merge(_profiles(chosen, upper), upper)
    if profile is not None:
        merged = merge(merged, layer_of(("profile",), profile, Origin("command line", "command line")))
    return _without_empty_sections(merged)


def _find_config(config: Path | None, environment: Mapping[str, str]) -> Path | None:
    named = config or config_from_environment(environment)
    if named is not None:
        return named
    return Path(DEFAULT_FILE) if Path(DEFAULT_FILE).is_file() else None


def _read_file(path: Path) -> Layer:
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        return read_yaml(content.decode("utf-8-sig"), str(path), "file")
    except FileNotFoundError as problem:
        raise SettingsError(
            f"{path}: there is no such settings file (looked in {Path.cwd()}).",
            "name an existing file after --config or in SEGMENTATION_CONFIG.",
        ) from problem
    except OSError as problem:
        raise SettingsError(f"{path}: cannot be read: {problem.strerror}.", "name a readable file.") from problem
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise SettingsError(f"{path}:{line}: the text is not UTF-8.", "save the file as UTF-8.") from problem


_SERVER: KeyPath = ("source", "postgres", "connection")

_PASSWORD = re.compile(r"^\w+://[^/?#]*:[^/?#@]+@|\b(?:ssl)?password\s*=\s*[^\s&]", re.IGNORECASE)
"""A password in a connection: before the @ of an address, or under its name."""


def _without_passwords(layer: Layer) -> Layer:
    """Refuse a connection with a password in a file, which is copied, shared and kept in version control."""
    connection = dict(leaves(layer.data)).get(_SERVER)
    if not isinstance(connection, str) or not _PASSWORD.search(connection):
        return layer
    problem = (
        f"{layer.origins[_SERVER].label}: {dotted(_SERVER)} holds a password, which a settings file must not (it is "
        f"not shown). Hint: leave it out here, and give the connection in {environment_name(_SERVER)}, or the password "
        "in PGPASSWORD or ~/.pgpass."
    )
    return Layer(layer.data, layer.origins, (*layer.problems, problem))


def _overrides_layer(overrides: Mapping[str, object], label: str = "command line") -> Layer:
    layer = Layer({})
    for key, value in overrides.items():
        plain = str(value) if isinstance(value, Path) else value
        layer = merge(layer, layer_of(tuple(key.split(".")), plain, Origin("command line", label)))
    return layer


def _profiles(chosen: object, upper: Layer) -> Layer:
    """Merge the default profile and the chosen one."""
    names = profile_names()
    if not isinstance(chosen, str) or chosen not in names:
        origin = upper.origin(("profile",))
        named = upper.data.get("profile")
        place = f"{origin.label}: " if origin and named == chosen else ""
        raise SettingsError(f"{place}there is no profile '{chosen}'.", closest_hint(str(chosen), names))
    merged = Layer({})
    for name in dict.fromkeys((DEFAULT_PROFILE, chosen)):
        merged = merge(merged, _read_profile(name))
    return without(merged, *_SHOP_KEYS) if _reads_files(upper) else merged


def _read_profile(name: str) -> Layer:
    text = files("segmentation_assets.config").joinpath("profiles", f"{name}.yaml").read_text(encoding="utf-8")
    return read_yaml(text, f"profile {name}", "profile", with_lines=False)


def _reads_files(layer: Layer) -> bool:
    source = layer.data.get("source")
    return isinstance(source, Mapping) and source.get("kind") in ("files", "postgres")


def _without_empty_sections(layer: Layer) -> Layer:
    """Treat a section with nothing below its name as not written."""
    empty = [path for path, value in leaves(layer.data) if value is None and is_required_section(path)]
    return without(layer, *empty)


_FILES: tuple[KeyPath, ...] = (
    ("source", "folder"),
    ("synthetic", "catalogue"),
    ("population", "crosswalk"),
    ("money", "exchange", "file"),
)
"""Settings that name a place beside the settings file."""


def _with_absolute_folders(layer: Layer, config: Path | None) -> Layer:
    layer = _with_absolute_folder(layer, ("data_dir",), Path.cwd())
    profile: KeyPath = ("synthetic", "profile")
    named_by_file = is_shop_profile_file(str(dict(leaves(layer.data)).get(profile)))
    for path in (*_FILES, profile) if named_by_file else _FILES:
        origin = layer.origins.get(path)
        beside_file = config is not None and origin is not None and origin.kind == "file"
        layer = _with_absolute_folder(layer, path, config.parent if config and beside_file else Path.cwd())
    return layer


def _with_absolute_folder(layer: Layer, path: KeyPath, base: Path) -> Layer:
    value = dict(leaves(layer.data)).get(path)
    if not isinstance(value, str):
        return layer
    absolute = os.path.abspath(base / Path(value).expanduser())  # noqa: PTH100 - symbolic links stay as they are
    return merge(layer, layer_of(path, absolute, layer.origins[path]))


def _validated(layer: Layer, path: Path | None) -> LoadedSettings:
    name = str(path) if path else "settings"
    try:
        settings = Settings.model_validate_json(json.dumps(layer.data), strict=True)
        problems = layer.problems
    except ValidationError as error:
        problems = (*layer.problems, *describe_problems(error, layer, name))
    if problems:
        raise settings_error(problems)
    sources = {dotted(key): layer.origins[key].label for key, _ in leaves(layer.data) if key in layer.origins}
    return LoadedSettings(settings, sources, path)
