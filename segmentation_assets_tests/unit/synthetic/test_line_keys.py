import pandas as pd
import pytest

from segmentation_assets.synthetic.line_keys import CUSTOMER_NUMBER, LINE_KEY, ORDER_NUMBER, with_keys


@pytest.mark.parametrize("dtype", [object, "str"])
def test_keys_hold_the_numbers_of_order_and_customer_whatever_holds_the_texts(dtype: object) -> None:
    lines = pd.DataFrame(
        {
            "order_id": ["S000000000101", "R230005000099", "S999999999999"],
            "customer_id": ["C0000001", "C5000000", "C9999999"],
            "product_id": ["00101", "00101", "00102"],
            "quantity": [2, -1, 1],
        }
    ).astype({"order_id": dtype, "customer_id": dtype})
    found = with_keys(lines)
    assert found[ORDER_NUMBER].tolist() == [101, 230_005_000_099, 999_999_999_999]
    assert found[CUSTOMER_NUMBER].tolist() == [1, 5_000_000, 9_999_999]
    assert (found[LINE_KEY] // 2**19).tolist() == found[ORDER_NUMBER].tolist()
    assert (found[LINE_KEY] % 2).tolist() == [0, 1, 0]


def test_no_line_has_no_keys() -> None:
    lines = pd.DataFrame({"order_id": [], "customer_id": [], "product_id": [], "quantity": []})
    assert with_keys(lines.astype({"order_id": object, "customer_id": object}))[LINE_KEY].tolist() == []
