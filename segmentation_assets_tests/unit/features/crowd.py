"""A shop of many random customers among whom every edge case lives, and settings under which every feature exists."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from segmentation_assets_tests.unit.features.shop import SETTINGS, Row, Shop, customer_row, line, random_shop

ADVANCED = SETTINGS.model_copy(
    update={"interactions": (("recency_days", "gap_days_mean"), ("net_revenue_amount", "return_rate"))}
)

_TIED = (
    ("o1", "shoe-1", "web", "DE", "s1"),
    ("o2", "hat-1", "app", "FR", "s2"),
    ("o3", "shoe-2", "web", "FR", None),
    ("o4", "toy-1", "app", "DE", "s1"),
    ("o5", "hat-1", "store", "AT", "s2"),
)

EDGES: tuple[Row, ...] = (
    line("one order", "o1", "2025-05-01 10:00", "sale", "20.0000", 2, "shoe-1", "8.0000", channel="web"),
    line("one order", "o2", "2025-06-01 00:00", "sale", "20.0000", 2, "hat-1", channel="app"),
    line("only returns", "r1", "2025-04-01 10:00", "return", "-7.0000", -1, "hat-1"),
    *(
        line("tied", order, "2025-04-30 12:00", "sale", "5.0000", 1, product, list_price="5.0000",
             channel=channel, country=country, store=store)
        for order, product, channel, country, store in _TIED
    ),
    line("tied", "r1", "2025-05-10 12:00", "return", "-5.0000", -1, "hat-1"),
    line("nothing known", "o1", "2024-07-01 00:00", "sale", "3.3333", 1, "gone"),
    line("nothing known", "o2", "2024-08-01 00:00", "sale", "3.3333", 3, "gone"),
    line("nothing spent", "o1", "2025-03-03 09:00", "sale", "0.0000", 1, "shoe-1", "0.0000", list_price="9.0000"),
    line("nothing spent", "o2", "2025-03-04 09:00", "sale", "0.0000", 2, "hat-1"),
    line("nothing spent", "r1", "2025-03-06 09:00", "return", "0.0000", -1, "hat-1"),
    line("leap day", "o1", "2024-02-28 23:59:59", "sale", "1.0050", 3, "shoe-1"),
    line("leap day", "o2", "2024-02-29 00:00:00", "sale", "2.0050", 1, "hat-1", "1.0000"),
    line("leap day", "o3", "2024-03-01 00:00:00", "sale", "0.0049", 1, "toy-1"),
    *(
        line("month ends", f"o{day}", f"{day} 23:59:59.999999", "sale", "10.0000", 1, "shoe-2", channel="app")
        for day in ("2024-01-31", "2024-02-29", "2024-03-31", "2024-12-31", "2025-04-30", "2025-05-31")
    ),
    line("cancels", "o1", "2025-05-01 10:00", "sale", "40.0000", 1, "shoe-1"),
    line("cancels", "o1", "2025-05-01 10:00", "sale", "40.0000", 1, "shoe-1"),
    line("cancels", "c1", "2025-05-02 09:59:59", "return", "-80.0000", -2, "shoe-1"),
    line("cancels", "o2", "2025-05-03 10:00", "sale", "30.0000", 1, "hat-1"),
    line("cancels", "o2", "2025-05-04 10:00", "return", "-30.0000", -1, "hat-1"),
    line(None, "g1", "2025-05-01 10:00", "sale", "77.0000", 1, "shoe-1"),
    line("too early", "o1", "2023-05-31 23:59:59", "sale", "50.0000", 1, "shoe-1"),
    line("early buyer", "o1", "2023-05-01 10:00", "sale", "50.0000", 1, "shoe-1"),
    line("early buyer", "r1", "2023-06-02 10:00", "return", "-50.0000", -1, "shoe-1"),
    line("too late", "o1", "2025-06-01 00:00", "sale", "50.0000", 1, "shoe-1"),
    line("two months", "o1", "2025-04-30 23:59", "sale", "5.0000", 1, "shoe-1", channel="web"),
    line("two months", "o1", "2025-05-01 00:01", "sale", "6.0000", 1, "hat-1", channel="app"),
    line("two months", "o1", "2025-05-02 00:01", "return", "-6.0000", -1, "hat-1"),
)  # fmt: skip
"""Lines by what is special about the customer, who is called by it."""

PROFILES: tuple[Row, ...] = (
    customer_row("leap day", "2024-02-29", 1988, "f", 2, "friend", "2024-02-29"),
    customer_row("month ends", "2025-05-31", 2000, None, 5, None, "2025-06-01"),
    customer_row("tied", "2025-06-01", None, "f", 1, "search", "2025-06-02"),
    customer_row("nothing known"),
    customer_row("stranger", "2020-01-01", 1960),
)

EVENTS: tuple[Row, ...] = (
    ("leap day", "2024-02-29 00:00:00", "visit"),
    ("month ends", "2025-05-31 23:59:59.999999", "email_open"),
    ("month ends", "2025-05-31 23:59:59.999999", "email_open"),
    ("one order", "2025-03-03 00:00:00", "email_click"),
    ("one order", "2025-03-02 23:59:59", "service_contact"),
    ("too early", "2023-05-31 10:00:00", "visit"),
    ("tied", "2025-06-01 00:00:00", "visit"),
    ("stranger", "2025-05-01 00:00:00", "visit"),
)


def crowded_shop(seed: int, n_customers: int = 70) -> Shop:
    """Random customers and the edge cases in one shop; their order ids are not unique among customers."""
    shop = random_shop(seed, n_customers, 14 * n_customers)
    return replace(
        shop,
        lines=(*shop.lines, *EDGES),
        customers=(*(shop.customers or ()), *PROFILES),
        events=(*(shop.events or ()), *EVENTS),
    )


def repetitive_shop(seed: int) -> Shop:
    """Four customers who buy and return one product over and over within four days, for one of two prices."""
    rng = np.random.default_rng(seed)

    def random_line(number: int) -> Row:
        customer, day, hour, price = (int(rng.integers(*limits)) for limits in ((0, 4), (1, 5), (0, 24), (1, 3)))
        kind, sign = ("sale", 1) if rng.random() < 0.6 else ("return", -1)
        order = f"o{day}" if rng.random() < 0.3 else f"{kind}{number}"
        return line(f"c{customer}", order, f"2025-03-0{day} {hour:02d}:00", kind, f"{sign * price}.00", sign, "hat-1")

    return Shop(tuple(random_line(number) for number in range(200)))
