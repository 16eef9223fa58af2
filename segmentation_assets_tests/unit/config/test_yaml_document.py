"""YAML text that is refused before settings are looked at, and what is remembered of the rest."""

import pytest

from segmentation_assets.config.layers import Origin
from segmentation_assets.config.yaml_document import MAX_BYTES, MAX_DEPTH, read_value, read_yaml
from segmentation_assets.errors import SettingsError


def test_values_keep_line_and_wording() -> None:
    layer = read_yaml("a:\n  b: 007\n  c:\n    - x\n    - NO\n", "f.yaml", "file")
    assert layer.data == {"a": {"b": 7, "c": ["x", False]}}
    assert layer.origins == {
        ("a",): Origin("file", "f.yaml:1", "", 1),
        ("a", "b"): Origin("file", "f.yaml:2", "007", 2),
        ("a", "c"): Origin("file", "f.yaml:3", "", 3),
        ("a", "c", 0): Origin("file", "f.yaml:4", "x", 4),
        ("a", "c", 1): Origin("file", "f.yaml:5", "NO", 5),
    }
    assert layer.problems == ()


def test_dates_stay_text() -> None:
    layer = read_yaml("a: 2025-06-01\nb: 2025-06\nc: 2025-06-01 10:00:00\n", "f", "file")
    assert layer.data == {"a": "2025-06-01", "b": "2025-06", "c": "2025-06-01 10:00:00"}


def test_of_a_repeated_key_the_first_counts_and_the_second_is_told() -> None:
    layer = read_yaml("a:\n  b: 1\n  b: 2\n", "f", "file")
    assert layer.data == {"a": {"b": 1}}
    assert layer.problems == ("f:3: a.b stands here again, first in line 2. Hint: keep one of them.",)


def test_empty_text_sets_nothing() -> None:
    assert read_yaml("", "f", "file").data == {}
    assert read_yaml("# only a comment\n", "f", "file").data == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- a\n", r"^f:1: the settings must be a mapping of keys to values, got a list\.\nHint: write 'key: value'"),
        ("\nhello\n", r"^f:2: the settings must be a mapping of keys to values, got 'hello'\."),
        ("a: [1\nb: 2\n", r"^f:\d: this is not valid YAML: .*\.\nHint: check the indentation, the colons and the"),
        ("a: b: c\n", r"^f:1: this is not valid YAML: mapping values are not allowed"),
        ("a:\n\tb: 1\n", r"^f:2: this is not valid YAML: .*\.\nHint: indent with blanks, not with tabs\."),
        ("a: 1\n---\nb: 2\n", r"^f:2: this is not valid YAML: "),
        ("a: \x00\n", r"^f.*: this is not valid YAML: "),
        ("a: &x [1]\nb: *x\n", r"^f:2: the alias '\*x' is not supported\.\nHint: write the value out\."),
        ("a: !!python/object:os.system x\n", r"^f:1: the tag '.*os.system' is not supported\.\nHint: write the value"),
        ("a: !own x\n", r"^f:1: the tag '!own' is not supported\."),
        ("a: !!int x\n", r"^f:1: the value 'x' cannot be read\.\nHint: put it in quotes if it is text\."),
        ("? [a]\n: 1\n", r"^f:1: a key must be a name, got a list\.\nHint: write 'key: value'\."),
        (
            "a: " + "[" * MAX_DEPTH + "]" * MAX_DEPTH,
            r"^f:1: more than 20 sections inside each other\.\nHint: no setting",
        ),
        ("[" * 100_000, r"^f:1: more than 20 sections inside each other\."),
        ("a: " + "x" * MAX_BYTES, r"^f: the text is larger than 1,000,000 bytes\.\nHint: settings are a page or two"),
    ],
)
def test_refused_text_is_placed(text: str, expected: str) -> None:
    with pytest.raises(SettingsError, match=expected):
        read_yaml(text, "f", "file")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("5", 5), ("[a, 1]", ["a", 1]), ("", None), ("1e3", 1000.0), ("{a: b}", {"a": "b"}), ("x y", "x y")],
)
def test_single_values_are_read(text: str, expected: object) -> None:
    assert read_value(text, "variable") == expected
