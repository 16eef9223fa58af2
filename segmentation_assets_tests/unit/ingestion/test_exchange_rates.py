"""Exchange rates from the settings or a CSV file, as spans of days."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from segmentation_assets.config.money import ExchangeRateSetting, ExchangeSettings
from segmentation_assets.errors import DataError, SettingsError
from segmentation_assets.ingestion.exchange_rates import ExchangeRate, read_exchange_rates

day = dt.date.fromisoformat


def read(tmp_path: Path, text: str) -> tuple[ExchangeRate, ...]:
    path = tmp_path / "rates.csv"
    path.write_text(text, encoding="utf-8")
    return read_exchange_rates(ExchangeSettings(file=path))


def test_rate_of_a_month_holds_in_that_month_only(tmp_path: Path) -> None:
    assert read(tmp_path, "currency,month,rate\ngbp ,2025-12,1.17\n") == (
        ExchangeRate("GBP", day("2025-12-01"), day("2026-01-01"), Decimal("1.1700000000")),
    )


def test_rate_of_a_day_holds_until_the_next_of_its_currency(tmp_path: Path) -> None:
    text = "\ufeffrate,currency,valid_from\n1.2,USD,2025-03-10\n0.9,USD,2025-03-01\n1.1,GBP,2025-03-05\n"
    assert [(r.currency, r.valid_from, r.valid_until, r.rate) for r in read(tmp_path, text)] == [
        ("GBP", day("2025-03-05"), day("9999-12-31"), Decimal("1.1")),
        ("USD", day("2025-03-01"), day("2025-03-10"), Decimal("0.9")),
        ("USD", day("2025-03-10"), day("9999-12-31"), Decimal("1.2")),
    ]


def test_settings_and_file_mean_the_same(tmp_path: Path) -> None:
    written = ExchangeSettings(rates=(ExchangeRateSetting(currency="gbp", month="2025-03", rate=1.17),))
    assert read_exchange_rates(written) == read(tmp_path, "currency,month,rate\nGBP,2025-03,1.17\n")
    assert read_exchange_rates(ExchangeSettings()) == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "currency,rate\nGBP,1\n",
            r"rates.csv has the columns currency, rate\nHint: its first line has to be currency",
        ),
        ("currency,month,valid_from,rate\n", "has the columns currency, month, valid_from, rate"),
        ("", r"rates.csv has the columns none\n"),
        ("currency,month,rate\n,2025-03,1\n", r"rates.csv, row 1: currency is empty\nHint: write for example GBP"),
        ("currency,month,rate\nGBP,,1\n", "row 1: one of month and valid_from has to be given"),
        ("currency,month,rate\nGBP,2025-3,1\n", r"row 1: month '2025-3' is none\nHint: write YYYY-MM\."),
        ("currency,month,rate\nGBP,9999-12,1\n", "row 1: month '9999-12' is none"),
        ("currency,valid_from,rate\nGBP,2025-02-30,1\n", r"valid_from '2025-02-30' is none\nHint: write YYYY-MM-DD"),
        ("currency,month,rate,rate\nGBP,2025-03,1,17\n", "rates.csv has 2 columns called 'rate'"),
        ("currency,month,rate\nGBP,2025-03,1_1.7\n", "rate '1_1.7' is no number"),
        ("currency,month,rate\nGBP,2025-03,\u0661\n", "is no number"),
        ("currency,month,rate\nGBP,2025-03,1,17\n", "row 1: 4 fields where the first line has 3: 'GBP,2025-03,1,17'"),
        ('currency,month,rate\nGBP,2025-03,1\nUSD,2025-03,"1,2"\n', "row 2: rate '1,2' is no number"),
        ("currency,month,rate\nGBP,2025-03,0\n", "row 1: rate '0' is out of range"),
        ("currency,month,rate\nGBP,2025-03,NaN\n", "rate 'NaN' is no number"),
        ("currency,month,rate\nGBP,2025-03,100001\n", "rate '100001' is out of range"),
        (
            "currency,month,rate\nGBP,2025-03,1\ngbp,2025-03,2\n",
            "GBP has two rates from 2025-03-01 on, 1 in row 1 and 2 in row 2",
        ),
    ],
)
def test_rate_that_cannot_be_used_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, text)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"money.exchange.file: there is no file .*rates.csv\nHint"):
        read_exchange_rates(ExchangeSettings(file=tmp_path / "rates.csv"))


def test_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rates.csv"
    path.write_bytes("currency,month,rate\n£,2025-03,1\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"rates.csv is not UTF-8.*\nHint: save it as CSV in UTF-8"):
        read_exchange_rates(ExchangeSettings(file=path))


def test_rates_and_file_together_are_refused() -> None:
    rate = ExchangeRateSetting(currency="GBP", month="2025-03", rate=1.17)
    with pytest.raises(ValidationError, match="rates and file are both given"):
        ExchangeSettings(rates=(rate,), file=Path("rates.csv"))
