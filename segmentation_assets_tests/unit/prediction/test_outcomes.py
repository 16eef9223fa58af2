"""What customers did after a date."""

import datetime as dt
from decimal import Decimal

from segmentation_assets.prediction.outcomes import outcomes_sql
from segmentation_assets.storage.engine import open_connection

LINES = """
(SELECT * FROM (VALUES
    ('a', '1', 'sale', TIMESTAMP '2025-04-01 00:00:00', 10.00),
    ('a', '1', 'sale', TIMESTAMP '2025-04-01 00:00:00', 2.50),
    ('a', '2', 'sale', TIMESTAMP '2025-04-01 18:00:00', 5.00),
    ('a', '3', 'sale', TIMESTAMP '2025-06-29 23:59:59', 1.00),
    ('a', '4', 'sale', TIMESTAMP '2025-06-30 00:00:00', 99.00),
    ('a', '0', 'sale', TIMESTAMP '2025-03-31 23:59:59', 99.00),
    ('a', '2', 'return', TIMESTAMP '2025-05-02 10:00:00', -5.00),
    ('b', '5', 'return', TIMESTAMP '2025-05-02 10:00:00', -7.00),
    ('c', '6', 'adjustment', TIMESTAMP '2025-05-02 10:00:00', 3.00),
    (NULL, '7', 'sale', TIMESTAMP '2025-05-02 10:00:00', 3.00)
) AS line(customer_id, order_id, line_type, order_at, amount))
"""


def test_only_what_lies_in_the_days_asked_for_counts(tmp_path):
    sql = outcomes_sql(LINES, dt.date(2025, 4, 1), dt.date(2025, 6, 30))
    with open_connection(":memory:", {"temp_directory": str(tmp_path)}) as connection:
        found = connection.execute(f"SELECT * FROM ({sql}) ORDER BY customer_id").fetchall()
    assert found == [("a", 3, 2, Decimal("18.50"), Decimal("13.50")), ("b", 0, 0, Decimal(0), Decimal("-7.00"))]
