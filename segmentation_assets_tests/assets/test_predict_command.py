"""`segmentation predict` on a shop whose models are trained: what it says, in which files, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from segmentation_assets.graph.platform import Platform
from segmentation_assets.serving.predict import MonthTables
from segmentation_assets.serving.scorer import load_rule, load_scorer
from segmentation_assets.storage.engine import quote_text, read_frame
from segmentation_assets.tables.prediction import CUSTOMER_SCORES, PREDICTIONS
from segmentation_assets_tests.assets.busy_shop import QUICK
from segmentation_assets_tests.assets.conftest import MONTHS, Printed, Shop

AUGUST = MONTHS[-1]
SCORES = CUSTOMER_SCORES.column_names[1:]
RULE = ["segment_key", "state", "segment_confidence", "runner_up_segment_key", "imputed_share"]


@pytest.fixture
def platform(busy_shop: Shop, write_settings, monkeypatch, tmp_path) -> Platform:
    """Write the settings of the shop into the folder the commands run in."""
    monkeypatch.chdir(tmp_path)
    settings = busy_shop.settings(**QUICK)
    write_settings(settings)
    return Platform(settings)


@pytest.fixture
def predict(platform, segmentation) -> Callable[..., Printed]:
    """Score a file."""

    def command(source: str, target: str, *arguments: str) -> Printed:
        return segmentation("predict", "--input", source, "--output", target, *arguments)

    return command


def stored(platform: Platform, key: str) -> pd.DataFrame:
    with platform.engine.connect() as connection:
        return read_frame(connection, platform.store.table_paths(key, AUGUST)).sort_values(
            "customer_id", ignore_index=True
        )


def read(path: str) -> pd.DataFrame:
    return pd.read_csv(path, dtype={"customer_id": "str"})


def write_query(platform: Platform, sql: str, target: str, form: str = "parquet") -> str:
    with platform.engine.connect() as connection:
        connection.execute(f"COPY ({sql}) TO {quote_text(target)} (FORMAT {form})")
    return target


def write_features(platform: Platform, target: str, where: str = "true", changes: str = "", form: str = "csv") -> str:
    features = platform.store.table_paths("silver/customer_features", AUGUST)[0]
    sql = f"SELECT * {changes} FROM read_parquet({quote_text(str(features))}) WHERE {where} ORDER BY customer_id"
    return write_query(platform, sql, target, form)


def write_lines(platform: Platform, busy_shop: Shop, target: str, where: str = "true") -> str:
    files = quote_text(str(busy_shop.deliveries / "order_lines-*.parquet"))
    return write_query(platform, f"SELECT * FROM read_parquet({files}) WHERE {where}", target)


def assert_same_rows(found: pd.DataFrame, expected: pd.DataFrame, columns: list[str]) -> None:
    for name in columns:
        one, other = (
            frame[name].astype("object").where(frame[name].notna(), None).tolist() for frame in (found, expected)
        )
        assert one == other, name


def test_all_order_lines_give_what_the_month_holds(platform, busy_shop, predict):
    lines = write_lines(platform, busy_shop, "lines.parquet")
    printed = predict(lines, "found.parquet", "--reasons", "0")
    assert printed.code == 0, printed.err
    with platform.engine.connect() as connection:
        found = read_frame(connection, ["found.parquet"])
    segments, scores = stored(platform, "gold/customer_segments"), stored(platform, "gold/customer_scores")
    assert tuple(found) == PREDICTIONS.column_names
    assert found["customer_id"].tolist() == segments["customer_id"].tolist()
    assert_same_rows(found, scores, list(SCORES))
    by_rule = (found["segment_said_by"] != "newcomer_classifier").to_numpy()
    assert_same_rows(found[by_rule], segments[by_rule], RULE)
    told = found[~by_rule]
    assert len(told) > 0
    assert set(told["state"]) == {"too_new"}
    assert told["segment_key"].tolist() == told["expected_segment_key"].tolist()
    assert told["segment_confidence"].tolist() == told["expected_segment_probability"].tolist()
    assert f"found.parquet: {len(found)} customers, by the models of 2025-08" in printed.out
    assert f"warning: {len(found)} of the customers have order lines in the shop already" in printed.out
    assert f"segment said by newcomer_classifier: {len(told)} (" in printed.out


def test_one_row_alone_gets_what_it_gets_in_the_batch(platform, predict):
    predict(write_features(platform, "features.csv"), "batch.csv")
    everyone = read("batch.csv")
    groups = everyone.fillna({"segment_said_by": "none"}).groupby(["segment_said_by", "state"])["customer_id"]
    chosen = groups.first().tolist()
    assert len(chosen) > 1
    for customer in chosen:
        predict(write_features(platform, "alone.csv", f"customer_id = '{customer}'"), "one.csv")
        expected = everyone[everyone["customer_id"] == customer].reset_index(drop=True)
        pd.testing.assert_frame_equal(read("one.csv"), expected, check_dtype=False)


def test_every_row_alone_is_scored_as_in_the_batch(platform):
    with platform.engine.connect() as connection:
        tables = MonthTables(platform, AUGUST, connection)
        features = tables.frame("silver/customer_features")
        features = features.assign(btyd_monetary_value=features["repeat_spend_amount_mean"])
        scorer = load_scorer(tables, load_rule(tables, {}), list(features), {})
    batch = scorer.score(features)
    places = [*range(0, len(features), 12), *batch.index[batch["segment_said_by"] == "newcomer_classifier"]]
    for place in places:
        alone = scorer.score(features.iloc[[place]].reset_index(drop=True))
        expected = batch.iloc[[place]].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone, expected, check_dtype=False, rtol=0, atol=0)


def test_features_give_the_scores_of_the_month_but_for_rounded_spend(platform, predict):
    predict(write_features(platform, "features.csv"), "found.csv", "--reasons", "0")
    found, scores = read("found.csv"), stored(platform, "gold/customer_scores")
    exact = [name for name in SCORES if "spend" not in name and "amount" not in name and name != "is_likely_to_churn"]
    pd.testing.assert_frame_equal(found[exact], scores[exact], check_dtype=False, rtol=1e-15)
    spend = "expected_spend_amount_12m"
    pd.testing.assert_series_equal(found[spend], scores[spend], rtol=1e-3)


def test_reasons_are_in_words_and_name_what_they_are_about(platform, predict):
    printed = predict(write_features(platform, "features.csv"), "found.csv")
    found = read("found.csv")
    assert "at most 3 reasons each" in printed.out
    assert found["segment_reasons"].str.contains("usual in").mean() > 0.9
    churn = found[found["churn_probability"].notna()]["churn_reasons"].dropna()
    assert churn.str.fullmatch(r".+ \(usually .+\) [+-]\d+ points").all()
    assert (churn.str.count("points") <= 3).all()
    value = found["value_reasons"].dropna()
    assert value.str.contains(r"^\d+ order days? in \d+ days, the last \d+ days ago").all()


def test_excel_in_and_out_keeps_text_as_text(platform, predict):
    write_features(platform, "three.csv", changes="REPLACE ('=1+' || customer_id AS customer_id)")
    pd.read_csv("three.csv").head(3).to_excel("three.xlsx", index=False, sheet_name="rows")
    book = openpyxl.load_workbook("three.xlsx")
    for row in book["rows"].iter_rows(min_row=2, max_col=1):
        row[0].data_type = "s"
    book.save("three.xlsx")
    printed = predict("three.xlsx", "found.xlsx")
    assert printed.code == 0, printed.err
    sheet = openpyxl.load_workbook("found.xlsx")["predictions"]
    assert [cell.value for cell in sheet[1]] == list(PREDICTIONS.column_names)
    assert {cell.data_type for cell in sheet["A"]} == {"s"}
    assert sheet["A2"].value.startswith("=1+")
    predict("three.csv", "found.csv")
    assert read("found.csv")["customer_id"].str.startswith("'=1+").all()


def test_other_models_can_be_named(platform, predict):
    source = write_features(platform, "features.parquet", form="parquet")
    printed = predict(source, "found.csv", "--model", "segment_classifier_champion", "--reasons", "0")
    found = read("found.csv")
    assert set(found["segment_said_by"].dropna()) == {"segment_classifier"}
    assert "segment said by segment_classifier" in printed.out
    assert f"segment_classifier@{platform.models.hashes('segment_classifier')[0][:6]}" in printed.out or (
        f"segment_classifier@{platform.models.hashes('segment_classifier')[-1][:6]}" in printed.out
    )
    hashes = platform.models.hashes("churn")
    assert len(hashes) == 2
    for value in hashes:
        assert f"churn@{value[:12]}" in predict(source, "found.csv", "--model", f"churn@{value}", "--reasons", "0").out
    kmeans = platform.models.hashes("kmeans")[0]
    assert (
        "is a model of kmeans, by which no file is scored"
        in predict(source, "x.csv", "--model", f"kmeans@{kmeans}").err
    )
    twice = predict(source, "x.csv", *(word for value in hashes for word in ("--model", f"churn@{value}")))
    assert "two models of churn are named" in twice.err


def test_lines_that_cannot_be_read_are_set_aside_beside_the_output(platform, busy_shop, predict):
    lines = write_lines(platform, busy_shop, "lines.parquet")
    broken = "SELECT * REPLACE (CASE WHEN file_row_number = 7 THEN '' ELSE order_id END AS order_id) "
    source = write_query(
        platform,
        f"SELECT * EXCLUDE (file_row_number) FROM ({broken} FROM read_parquet('{lines}', file_row_number = true))",
        "broken.parquet",
    )
    printed = predict(source, "found.csv", "--reasons", "0")
    assert "order lines that cannot be read: 1, see found.set_aside.csv" in printed.out
    aside = pd.read_csv("found.set_aside.csv")
    assert aside[["source_file", "source_row", "reason"]].to_numpy().tolist() == [
        ["broken.parquet", 8, "missing_value"]
    ]


def test_without_what_churn_goes_by_its_scores_are_empty_and_it_is_said(platform, predict):
    stored_model = platform.models.load(platform.models.aliases()["churn_champion"])
    rule = platform.models.load(platform.models.aliases()["champion"])
    text = str(rule.state)
    only_churn = [name for name in stored_model.state["inputs"]["numbers"] if f"'{name}'" not in text]
    assert only_churn
    source = write_features(platform, "features.csv", changes=f"EXCLUDE ({only_churn[0]}, btyd_frequency)")
    printed = predict(source, "found.csv")
    found = read("found.csv")
    assert found["churn_probability"].isna().all()
    assert found["alive_probability"].isna().all()
    assert f"warning: models/churn goes by features that are missing, and its scores are empty: {only_churn[0]}" in (
        printed.out
    )
    assert "warning: models/lifetime_value goes by features that are missing" in printed.out


def test_a_refusal_leaves_everything_as_it_was(platform, predict):
    Path("found.csv").write_text("as it was", encoding="utf-8")
    changes = "REPLACE (CASE WHEN order_count > 3 THEN 35.0 ELSE 0.5 END AS return_rate)"
    printed = predict(write_features(platform, "features.csv", changes=changes), "found.csv")
    assert printed.code == 1
    assert "return_rate is '35.0' and must be a number from 0 to 1" in printed.err
    assert Path("found.csv").read_text(encoding="utf-8") == "as it was"
    assert sorted(path.name for path in Path().iterdir()) == ["features.csv", "found.csv", "segmentation.yaml"]


def test_order_lines_after_the_date_are_refused_and_another_date_takes_them(platform, busy_shop, predict):
    source = write_lines(platform, busy_shop, "lines.parquet", "order_at < TIMESTAMP '2025-08-15'")
    printed = predict(source, "found.csv", "--as-of", "2025-08-01")
    assert "lines.parquet has " in printed.err
    assert "order lines on or after 2025-08-01, the day before which things count" in printed.err
    assert "Hint: add --as-of 2025-08-15" in printed.err
    printed = predict(source, "found.csv", "--as-of", "2025-08-15", "--reasons", "0")
    assert "as of 2025-08-15, from " in printed.out


def test_what_may_mislead_is_told(platform, busy_shop, predict):
    write_lines(platform, busy_shop, "lines.parquet", "order_at < TIMESTAMP '2025-06-01'")
    Path("found.set_aside.csv").write_text("of an earlier call", encoding="utf-8")
    some = (
        "SELECT * REPLACE (unit_price * 1000 AS unit_price, "
        "CASE WHEN row_number() OVER () > 50 THEN customer_id END AS customer_id), 1 AS foo "
        "FROM read_parquet('lines.parquet')"
    )
    printed = predict(write_query(platform, some, "some.parquet"), "found.csv", "--reasons", "0")
    assert "the newest of 2025-05-31" in printed.out
    assert "warning: no order line is near that date" in printed.out
    assert "order lines without a customer: 50" in printed.out
    assert "columns that the mapping does not name, and that are not read: foo" in printed.out
    assert "warning: most customers are outside_known_range; check that amounts are in EUR" in printed.out
    assert not Path("found.set_aside.csv").exists()


def test_order_lines_of_one_sheet(platform, busy_shop, predict):
    lines = write_query(
        platform, f"SELECT * FROM '{write_lines(platform, busy_shop, 'lines.parquet')}' LIMIT 200", "some.csv", "csv"
    )
    rows = pd.read_csv(lines, dtype="str")
    with pd.ExcelWriter("lines.xlsx") as book:
        rows.head(150).to_excel(book, sheet_name="one", index=False)
        rows.tail(50).to_excel(book, sheet_name="two", index=False)
    assert ", from 50 order lines" not in predict("lines.xlsx", "found.csv", "--reasons", "0").out
    assert ", from 50 order lines" in predict("lines.xlsx", "found.csv", "--reasons", "0", "--sheet", "two").out


def test_a_file_without_a_customer_is_refused(platform, busy_shop, predict):
    write_lines(platform, busy_shop, "lines.parquet", "order_at < TIMESTAMP '2025-06-01'")
    nobody = "SELECT * REPLACE (CAST(NULL AS VARCHAR) AS customer_id) FROM read_parquet('lines.parquet') LIMIT 50"
    printed = predict(write_query(platform, nobody, "nobody.parquet"), "found.csv")
    assert "nobody.parquet has no customer to score as of 2025-09-01" in printed.err
    assert not Path("found.csv").exists()


def test_files_that_are_neither_and_outputs_that_cannot_be_are_refused(platform, predict):
    Path("other.csv").write_text("colour,weight\nred,2\n", encoding="utf-8")
    assert "other.csv has neither the columns of order lines (" in predict("other.csv", "found.csv").err
    source = write_features(platform, "features.csv")
    assert "end the name in one of .csv, .parquet, .xlsx" in predict(source, "found.json").err
    assert "features.csv is the input" in predict(source, "./features.csv").err
    Path(source).rename("found.set_aside.csv")
    assert "found.set_aside.csv is the input" in predict("found.set_aside.csv", "found.csv").err
    Path("found.set_aside.csv").rename(source)
    Path("folder.csv").mkdir()
    assert "folder.csv is a folder" in predict(source, "folder.csv").err
    assert "holds features, which were made as of a date of their own" in (
        predict(source, "found.csv", "--as-of", "2025-01-01").err
    )
    assert "there is no folder nowhere" in predict(source, "nowhere/found.csv").err
    assert "there is no file" in predict("absent.csv", "found.csv").err


def test_where_nothing_is_foretold_there_are_segments_alone(
    finished_shop, write_settings, segmentation, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    settings = finished_shop.settings()
    write_settings(settings)
    source = write_features(Platform(settings), "features.csv")
    printed = segmentation("predict", "--input", source, "--output", "found.csv")
    assert printed.code == 0, printed.err
    found = read("found.csv")
    assert found["segment_key"].notna().any()
    assert found[list(SCORES)].isna().all().all()
    assert found["churn_reasons"].isna().all()
