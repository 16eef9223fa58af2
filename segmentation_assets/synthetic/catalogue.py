"""The products of the synthetic shop: four departments, twelve classes, 120 products with list prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

ITEMS: dict[str, dict[str, tuple[tuple[str, float], ...]]] = {
    "Accessories & Footwear": {
        "Footwear": (
            ("Canvas sneaker", 39.95),
            ("Running shoe", 89.90),
            ("Ankle boot", 119.00),
            ("Summer sandal", 29.95),
            ("House slipper", 17.50),
        ),
        "Bags": (
            ("Shopper bag", 24.95),
            ("City backpack", 59.90),
            ("Shoulder bag", 79.00),
            ("Weekend bag", 129.00),
            ("Coin purse", 12.95),
        ),
        "Jewellery & Watches": (
            ("Stud earrings", 19.90),
            ("Silver bracelet", 49.00),
            ("Pendant necklace", 64.50),
            ("Wrist watch", 149.00),
            ("Signet ring", 34.90),
        ),
        "Belts & Scarves": (
            ("Leather belt", 34.95),
            ("Wool scarf", 27.50),
            ("Silk scarf", 54.00),
            ("Knitted hat", 16.95),
            ("Lined gloves", 31.50),
        ),
    },
    "Health & Wellness": {
        "Vitamins & Supplements": (
            ("Vitamin C tablets", 6.95),
            ("Magnesium powder", 11.50),
            ("Omega-3 capsules", 14.90),
            ("Protein shake", 26.95),
            ("Herbal tea blend", 4.75),
        ),
        "Personal Care": (
            ("Hand cream", 5.95),
            ("Shampoo bar", 7.90),
            ("Face serum", 29.50),
            ("Massage oil", 13.95),
            ("Electric toothbrush", 69.00),
        ),
    },
    "Home & Lifestyle": {
        "Kitchen": (
            ("Coffee mug", 8.95),
            ("Chef knife", 44.90),
            ("Cast iron pan", 64.00),
            ("Storage jar", 6.50),
            ("Espresso maker", 89.00),
        ),
        "Bed & Bath": (
            ("Bath towel", 14.95),
            ("Duvet cover", 54.90),
            ("Feather pillow", 39.50),
            ("Bath mat", 19.95),
            ("Wool blanket", 79.00),
        ),
        "Decoration": (
            ("Scented candle", 12.50),
            ("Picture frame", 15.90),
            ("Ceramic vase", 27.95),
            ("Table lamp", 74.00),
            ("Wall mirror", 109.00),
        ),
    },
    "Apparel": {
        "Women": (
            ("Cotton blouse", 34.95),
            ("Summer dress", 59.90),
            ("Slim jeans", 69.95),
            ("Wool coat", 189.00),
            ("Basic top", 12.95),
        ),
        "Men": (
            ("Oxford shirt", 44.95),
            ("Chino trousers", 54.90),
            ("Merino sweater", 79.00),
            ("Rain jacket", 139.00),
            ("Plain T-shirt", 11.95),
        ),
        "Sportswear": (
            ("Training shirt", 24.95),
            ("Running tights", 44.90),
            ("Yoga set", 64.00),
            ("Softshell jacket", 99.00),
            ("Sports socks", 9.50),
        ),
    },
}
"""Department → class → items with their list price in the classic quality."""

DEPARTMENTS = tuple(ITEMS)

QUALITIES = (("", "classic", 1.0), ("S", "signature", 1.8))
"""Suffix of the product id, name and price factor of the two qualities every item is made in."""


def build_products() -> pd.DataFrame:
    """List the products, one per item and quality.

    Returns
    -------
    DataFrame
        120 rows sorted by ``product_id`` (five digits that start with 0, and an S for the signature quality), with
        ``product_name``, ``department``, ``class`` and ``unit_price``, the list price with two decimals.
    """
    import pandas as pd

    rows = [
        (f"0{d}{c}{i:02d}{suffix}", f"{item}, {quality}", department, class_name, round(price * factor, 2))
        for d, (department, classes) in enumerate(ITEMS.items(), start=1)
        for c, (class_name, items) in enumerate(classes.items(), start=1)
        for i, (item, price) in enumerate(items, start=1)
        for suffix, quality, factor in QUALITIES
    ]
    return pd.DataFrame(rows, columns=["product_id", "product_name", "department", "class", "unit_price"])
