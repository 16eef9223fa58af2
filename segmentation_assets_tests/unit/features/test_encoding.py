"""Categories as numbers."""

import dataclasses
import json

import pandas as pd
import pytest

from segmentation_assets.features.encoding import Encoding, fit_encoding

SEEN = pd.Series([*"bbb", *"aa", *"cc", "d", "e"])


def fitted(method: str, at_most: int = 3, seen: pd.Series = SEEN) -> Encoding:
    return fit_encoding("letter", seen, method, at_most)


def test_categories_are_ranked_by_frequency_then_by_the_alphabet() -> None:
    encoding = fitted("ordinal")
    assert (encoding.categories, encoding.rare) == (("b", "a", "c"), ("d", "e"))
    assert fitted("ordinal", seen=SEEN[::-1]) == encoding


def test_ordinal_is_the_place_and_other_the_last_one() -> None:
    assert {name: values.tolist() for name, values in fitted("ordinal").encode(["c", "b", "d", "?"]).items()} == {
        "letter": [2.0, 0.0, 3.0, 3.0]
    }
    assert fitted("ordinal").column_names == ("letter",)


def test_one_hot_has_a_column_per_category_and_one_for_the_rest() -> None:
    encoding = fitted("one_hot")
    encoded = {name: values.tolist() for name, values in encoding.encode(["c", "b", "d", "?"]).items()}
    assert encoded == {
        "letter_is_b": [0.0, 1.0, 0.0, 0.0],
        "letter_is_a": [0.0, 0.0, 0.0, 0.0],
        "letter_is_c": [1.0, 0.0, 0.0, 0.0],
        "letter_is_other": [0.0, 0.0, 1.0, 1.0],
    }
    assert encoding.column_names == tuple(encoded)


def test_rare_and_unseen_categories_are_counted_apart() -> None:
    assert fitted("one_hot").count_other(["d", "e", "?", "a"]) == {"rare_category": 2, "unseen_category": 1}
    assert fitted("one_hot").count_other(["a", "b"]) == {}


def test_category_called_other_is_the_rest() -> None:
    encoding = fitted("one_hot", seen=pd.Series(["other", "other", "a"]))
    assert (encoding.categories, encoding.rare) == (("a",), ("other",))
    assert encoding.count_other(["other"]) == {"rare_category": 1}


@pytest.mark.parametrize("most", ["Other!", "a b", "a-b", "a_b"])
def test_categories_with_the_same_word_are_numbered_whatever_their_frequency(most: str) -> None:
    encoding = fitted("one_hot", seen=pd.Series(["a b", "a-b", "a_b", "Other!", most]), at_most=4)
    assert dict(zip((*encoding.categories, "the rest"), encoding.column_names, strict=True)) == {
        "a b": "letter_is_a_b",
        "a-b": "letter_is_a_b__2",
        "a_b": "letter_is_a_b__3",
        "Other!": "letter_is_other__2",
        "the rest": "letter_is_other",
    }


@pytest.mark.parametrize("method", ["one_hot", "ordinal"])
def test_encoding_survives_json(method: str) -> None:
    encoding = fitted(method)
    assert Encoding.from_plain(json.loads(json.dumps(dataclasses.asdict(encoding)))) == encoding
