"""Layers of settings laid over each other."""

from hypothesis import given
from hypothesis import strategies as st

from segmentation_assets.config.layers import Layer, Origin, dotted, layer_of, leaves, merge, without

FILE = Origin("file", "f:1")
LINE = Origin("command line", "command line")

VALUES = st.recursive(
    st.integers() | st.text(max_size=3) | st.none() | st.lists(st.integers(), max_size=2),
    lambda children: st.dictionaries(st.sampled_from("abc"), children, max_size=3),
    max_leaves=8,
)
SECTIONS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)


def test_sections_are_joined_and_values_replaced_with_their_origin() -> None:
    lower = merge(layer_of(("a", "b"), [1, 2], FILE), layer_of(("a", "c"), 1, FILE))
    merged = merge(lower, layer_of(("a", "b"), [3], LINE))
    assert merged.data == {"a": {"b": [3], "c": 1}}
    assert merged.origins == {("a",): LINE, ("a", "b"): LINE, ("a", "c"): FILE}


def test_origins_below_a_replaced_value_are_gone() -> None:
    lower = Layer({"a": [1, 2]}, {("a",): FILE, ("a", 0): FILE, ("a", 1): FILE})
    assert merge(lower, layer_of(("a",), [3], LINE)).origins == {("a",): LINE}


def test_origin_of_an_absent_key_is_that_of_its_section() -> None:
    layer = layer_of(("a", "b"), 1, FILE)
    assert layer.origin(("a", "x", "y")) is FILE
    assert layer.origin(("x",)) is None


def test_parts_can_be_left_out() -> None:
    layer = merge(layer_of(("a", "b"), 1, FILE), layer_of(("a", "c"), 2, FILE))
    left = without(layer, ("a", "b"), ("x", "y"), ("a", "c", "d"))
    assert left.data == {"a": {"c": 2}}
    assert set(left.origins) == {("a",), ("a", "c")}


def test_paths_are_written_with_dots_and_elements_counted_from_one() -> None:
    assert dotted(("a", "b", 0)) == "a.b.1"


@given(SECTIONS, SECTIONS)
def test_every_value_of_the_upper_layer_is_in_the_merged_one(lower: dict, upper: dict) -> None:
    merged = dict(leaves(merge(Layer(lower), Layer(upper)).data))
    assert {path: value for path, value in leaves(upper) if value != {}}.items() <= merged.items()


@given(SECTIONS)
def test_merging_with_nothing_changes_nothing(data: dict) -> None:
    assert merge(Layer(data), Layer({})).data == merge(Layer({}), Layer(data)).data == data
