from __future__ import annotations

import gzip
import random
from collections.abc import Callable

import pytest
import zstandard

from segmentation_assets.config.source import CustomersTable
from segmentation_assets.errors import DataError, SettingsError
from segmentation_assets.ingestion.decoding import _ZSTD_CHUNK_BYTES
from segmentation_assets.ingestion.parts import Reader
from segmentation_assets.ingestion.reading import open_file
from segmentation_assets.ingestion.reconciliation import reconcile_delivery
from segmentation_assets.tables.raw import RAW_ORDER_LINES
from segmentation_assets_tests.unit.ingestion.counter import (
    HEADER,
    LINE,
    ORDER_LINE_COLUMNS,
    Counter,
    order_lines_mapping,
)


def test_a_missing_column_is_named_with_those_found_and_the_closest(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE, header="order,at,Customer ID,product,units,prices")
    with pytest.raises(
        DataError,
        match=r"a\.csv has no column 'price', which source\.order_lines\.columns\.unit_price names; it has "
        r"'Customer ID', 'at', 'order', 'prices', 'product', 'units'\nHint: did you mean 'prices'\?",
    ):
        counter.ingest(order_lines_mapping(columns=order_lines_mapping().columns | {"customer_id": "Customer ID"}))


def test_a_missing_parquet_column_is_named(counter: Counter) -> None:
    counter.hand_in_parquet("a.parquet", 'SELECT 1 AS "order", 2 AS ats')
    with pytest.raises(DataError, match=r"a\.parquet has no column 'at'.*\nHint: did you mean 'ats'"):
        counter.ingest(order_lines_mapping(files=("*.parquet",)))


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_folder_called_like_a_column_replaces_no_value(counter: Counter, name: str) -> None:
    folder = counter.folder / "land=NL"
    folder.mkdir()
    counter.hand_in("land=NL/a.csv", f"{LINE},Belgium", header=f"{HEADER},land")
    read = f"SELECT * FROM read_csv('{folder / 'a.csv'}', all_varchar = true, hive_partitioning = false)"
    counter.hand_in_parquet("land=NL/a.parquet", read)
    columns = order_lines_mapping().columns | {"country": "land"}

    outcome = counter.ingest(order_lines_mapping(files=(f"land=NL/{name}",), columns=columns))

    assert outcome.rows("source_file", "country") == [(f"land=NL/{name}", "Belgium")]


def test_a_folder_called_like_a_column_stands_for_no_column_in_the_file(counter: Counter) -> None:
    (counter.folder / "land=NL").mkdir()
    counter.hand_in_parquet("land=NL/a.parquet", 'SELECT 1 AS "order"')
    with pytest.raises(DataError, match=r"a\.parquet has no column 'land'"):
        counter.ingest(
            order_lines_mapping(files=("**/*.parquet",), columns=order_lines_mapping().columns | {"order_id": "land"})
        )


def test_a_wrong_separator_is_suspected_when_the_header_is_one_column(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE.replace(",", ";"), header=HEADER.replace(",", ";"))
    with pytest.raises(DataError, match=r"Hint: the header was split at ','; set the separator"):
        counter.ingest()


@pytest.mark.parametrize("title", ["sep=,", "Report of January", "Sales,2025"])
def test_a_line_above_the_header_is_suspected(counter: Counter, title: str) -> None:
    counter.hand_in("a.csv", HEADER, LINE, header=title)
    with pytest.raises(DataError, match=r"a\.csv has no column 'order', .*\nHint: the first line does not look like"):
        counter.ingest()


def test_a_mapped_name_that_stands_twice_is_refused(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE + ",1", header=HEADER + ",price")
    with pytest.raises(DataError, match=r"a\.csv has 2 columns called 'price', which .*unit_price names\nHint: rename"):
        counter.ingest()


def test_columns_that_are_not_mapped_may_repeat(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE + ",1,2", header=HEADER + ",x,x")
    assert counter.ingest().ingested.stored_rows == 1


def test_a_missing_header_is_refused(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE, header="")
    with pytest.raises(DataError, match=r"a\.csv: the first line is empty; expected the column names"):
        counter.ingest()


def test_a_header_without_names_is_refused(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE, header=",,,,,")
    with pytest.raises(
        DataError,
        match=r"a\.csv has no column 'order', .* it has no named column at all\nHint: deliver it again, with the names",
    ):
        counter.ingest()


def test_a_header_with_an_open_quote_is_refused(counter: Counter) -> None:
    counter.hand_in("a.csv", header='"order,at')
    with pytest.raises(DataError, match=r"a\.csv: the header line cannot be read: .*\nHint: check its quotes"):
        counter.ingest()


def test_separator_decimal_mark_date_format_and_encoding_are_taken_from_the_mapping(counter: Counter) -> None:
    counter.hand_in(
        "a.csv", "Ö1;5.3.2025 9:05;C1;£1;-1.000;2", "Ö1;05.03.2025 09:05;C1;£1;-3,0;2,5",
        header=HEADER.replace(",", ";"), encoding="cp1252",
    )  # fmt: skip
    mapping = order_lines_mapping(separator=";", decimal=",", date_format="%d.%m.%Y %H:%M", encoding="cp1252")

    outcome = counter.ingest(mapping)

    assert outcome.rows("order_id", "product_id", "quantity", "CAST(unit_price AS VARCHAR)") == [
        ("Ö1", "£1", -3, "2.5000")
    ]
    assert outcome.quarantine() == [("a.csv", 1, "not_a_number", "units", "-1.000")]


def packed(ending: str, content: bytes) -> bytes:
    packers = {".gz": gzip.compress, ".zst": zstandard.ZstdCompressor().compress}
    return packers[ending](content) if ending in packers else content


@pytest.mark.parametrize("ending", [".tsv", ".TXT", ".tsv.gz", ".txt.zst"])
def test_tab_separated_text_is_read_like_csv(counter: Counter, ending: str) -> None:
    rows = (HEADER, LINE, LINE.replace("P1", '"P\t2"'), "O2,short")
    text = "".join(f"{row}\n".replace(",", "\t") for row in rows)
    suffix = f".{ending.rpartition('.')[2]}"
    (counter.folder / f"a{ending}").write_bytes(packed(suffix, text.encode()))

    outcome = counter.ingest(order_lines_mapping(files=("a*",), separator="\t"))

    assert outcome.rows("product_id", "source_row") == [("P1", 1)]
    assert outcome.quarantine() == [
        (f"a{ending}", 2, "broken_id", "product", "P\t2"),
        (f"a{ending}", 3, "malformed_row", None, "O2\tshort"),
    ]


def test_tab_separated_text_with_another_separator_declared_says_so(counter: Counter) -> None:
    counter.hand_in("a.tsv", LINE.replace(",", "\t"), header=HEADER.replace(",", "\t"))
    with pytest.raises(DataError, match=r"Hint: the header was split at ','; set the separator"):
        counter.ingest(order_lines_mapping(files=("*.tsv",)))


def test_a_byte_that_is_not_utf8_is_located(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE, LINE.replace("P1", "£1"), encoding="cp1252")
    offset = len(HEADER) + len(LINE) + 2 + LINE.index("P1")
    with pytest.raises(
        DataError, match=rf"a\.csv: byte 0xa3 at offset {offset} \(line 3\) is not utf-8 text\nHint: set the encoding"
    ):
        counter.ingest()


def test_a_byte_far_into_the_file_is_located(counter: Counter) -> None:
    count = 40_000
    text = f"{HEADER}\n".encode() + f"{LINE}\n".encode() * count
    (counter.folder / "a.csv").write_bytes(text + b"\x81")
    with pytest.raises(DataError, match=rf"byte 0x81 at offset {len(text)} \(line {count + 2}\) is not cp1252 text"):
        counter.ingest(order_lines_mapping(encoding="cp1252"))


def test_an_unknown_encoding_is_refused(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE)
    with pytest.raises(SettingsError, match=r"a\.csv: 'utf-ate' is not an encoding\nHint: write utf-8, cp1252"):
        counter.ingest(order_lines_mapping(encoding="utf-ate"))


@pytest.mark.parametrize("encoding", ["base64", "rot13", "undefined"])
def test_a_codec_that_yields_no_text_is_no_encoding(counter: Counter, encoding: str) -> None:
    counter.hand_in("a.csv", LINE)
    with pytest.raises(SettingsError, match=rf"a\.csv: '{encoding}' is not an encoding\nHint: write utf-8, cp1252"):
        counter.ingest(order_lines_mapping(encoding=encoding))


def test_a_file_that_is_not_utf16_as_declared_is_named(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE)
    with pytest.raises(DataError, match=r"a\.csv is not utf-16 text: .*BOM\nHint: set the encoding of this table"):
        counter.ingest(order_lines_mapping(encoding="utf-16"))


@pytest.mark.parametrize("declared", ["cp1252", "latin-1"])
def test_utf8_that_is_declared_to_be_another_encoding_is_told_of(
    counter: Counter, told: pytest.LogCaptureFixture, declared: str
) -> None:
    counter.hand_in("a.csv", LINE, LINE.replace("P1", "£1"))
    assert counter.ingest(order_lines_mapping(encoding=declared)).rows("product_id") == [("P1",), ("Â£1",)]
    assert "a.csv is UTF-8 text but is read as " in told.text


@pytest.mark.parametrize("declared", ["cp1252", "latin-1"])
def test_the_mark_of_utf8_contradicts_another_encoding(counter: Counter, declared: str) -> None:
    counter.hand_in("a.csv", LINE, encoding="utf-8-sig")
    with pytest.raises(
        DataError, match=r"a\.csv begins with the mark of UTF-8; declared is \S+\nHint: set the encoding .* to utf-8"
    ):
        counter.ingest(order_lines_mapping(encoding=declared))


@pytest.mark.parametrize("code", ["P1", "£1", "Â£1 £2"])
@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_letters_of_a_single_byte_encoding_are_kept(
    counter: Counter, told: pytest.LogCaptureFixture, code: str, encoding: str
) -> None:
    counter.hand_in("a.csv", LINE.replace("P1", code), encoding=encoding)
    assert counter.ingest(order_lines_mapping(encoding=encoding)).rows("product_id") == [(code,)]
    assert told.text == ""


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_a_zero_byte_is_located(counter: Counter, name: str) -> None:
    content = f"{HEADER}\n{LINE}\n{LINE.replace('C1', 'C' + chr(0))}\n".encode()
    (counter.folder / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    with pytest.raises(DataError, match=r"a\.csv(\.gz)?: line 3 holds a zero byte, which no text has\nHint: .*deliver"):
        counter.ingest(order_lines_mapping(files=("a.*",)))


def test_utf16_without_a_mark_is_recognised_by_its_zero_bytes(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE, encoding="utf-16-le")
    with pytest.raises(DataError, match=r"a\.csv: line 1 holds a zero byte, .*\nHint: set the encoding to utf-16-le"):
        counter.ingest()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_part_of_the_header(counter: Counter, encoding: str) -> None:
    counter.hand_in("a.csv", LINE, encoding=encoding)
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    assert counter.ingest(order_lines_mapping(encoding=declared)).ingested.stored_rows == 1


def test_gzipped_csv_is_unpacked(counter: Counter) -> None:
    (counter.folder / "a.csv.gz").write_bytes(gzip.compress(f"{HEADER}\n{LINE}\n".encode()))
    outcome = counter.ingest(order_lines_mapping(files=("*.gz",)))
    assert outcome.rows("source_file", "source_row") == [("a.csv.gz", 1)]


def test_a_damaged_gzip_file_is_named(counter: Counter) -> None:
    (counter.folder / "a.csv.gz").write_bytes(gzip.compress(f"{HEADER}\n{LINE}\n".encode())[:-12])
    with pytest.raises(DataError, match=r"a\.csv\.gz is damaged and cannot be unpacked: .*\nHint: deliver it again"):
        counter.ingest(order_lines_mapping(files=("*.gz",)))


def zstd(text: str) -> bytes:
    return zstandard.ZstdCompressor().compress(text.encode())


def test_zstandard_csv_is_unpacked_frame_by_frame(counter: Counter) -> None:
    (counter.folder / "a.csv.zst").write_bytes(zstd(f"{HEADER}\n{LINE}\n") + zstd(f"{LINE}\n"))
    outcome = counter.ingest(order_lines_mapping(files=("*.zst",)))
    assert outcome.rows("source_file", "source_row") == [("a.csv.zst", 1), ("a.csv.zst", 2)]


def test_a_zstandard_file_larger_than_a_chunk_is_unpacked_whole(counter: Counter) -> None:
    numbers = random.Random(7)
    lines = [LINE.replace("P1", f"P{numbers.getrandbits(64)}") for _ in range(2_000)]
    (counter.folder / "a.csv.zst").write_bytes(zstd("\n".join([HEADER, *lines])))
    assert (counter.folder / "a.csv.zst").stat().st_size > 2 * _ZSTD_CHUNK_BYTES
    assert counter.ingest(order_lines_mapping(files=("*.zst",))).ingested.stored_rows == 2_000


def test_an_unpacked_zstandard_file_is_decoded(counter: Counter) -> None:
    text = f"{HEADER}\n{LINE.replace('P1', '£1')}\n"
    (counter.folder / "a.csv.zst").write_bytes(zstandard.ZstdCompressor().compress(text.encode("cp1252")))
    outcome = counter.ingest(order_lines_mapping(files=("*.zst",), encoding="cp1252"))
    assert outcome.rows("product_id") == [("£1",)]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda packed: packed[:-6], "the file ends within a frame"),
        (lambda packed: packed + packed[:3], "the file ends within a frame"),
        (lambda packed: b"no frame" + packed, "Unknown frame descriptor"),
        (lambda packed: packed[:20] + b"\0\0\0\0" + packed[24:], "zstd decompressor error"),
    ],
)
def test_a_damaged_zstandard_file_is_named(counter: Counter, spoil: Callable[[bytes], bytes], reason: str) -> None:
    packed = zstandard.ZstdCompressor(write_checksum=True).compress(f"{HEADER}\n{LINE}\n".encode() * 9)
    (counter.folder / "a.csv.zst").write_bytes(spoil(packed))
    with pytest.raises(DataError, match=rf"a\.csv\.zst is damaged and cannot be unpacked: .*{reason}.*\nHint: deliver"):
        counter.ingest(order_lines_mapping(files=("*.zst",)))


@pytest.mark.parametrize("content", [b"PAR1 cut off", b"order,at", b"PAR1nonsensePAR1"])
def test_a_file_that_is_no_parquet_is_named(counter: Counter, content: bytes) -> None:
    (counter.folder / "a.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.parquet is not a (readable )?Parquet file"):
        counter.ingest(order_lines_mapping(files=("*.parquet",)))


def test_a_parquet_file_that_is_damaged_inside_is_named_among_others(counter: Counter) -> None:
    sql = (
        "SELECT 'O' || i AS \"order\", TIMESTAMP '2025-03-05' AS at, 'C' || i AS customer, 'P' || i AS product, "
        "1 AS units, 1.5 AS price FROM range(20000) AS t(i)"
    )
    counter.hand_in_parquet("a.parquet", sql)
    counter.hand_in_parquet("b.parquet", sql)
    content = (counter.folder / "b.parquet").read_bytes()
    (counter.folder / "b.parquet").write_bytes(content[:1000] + bytes(500) + content[1500:])
    with pytest.raises(DataError, match=r"^b\.parquet is damaged and cannot be read: [^\n]*\nHint: deliver it again"):
        counter.ingest(order_lines_mapping(files=("*.parquet",)))
    assert list(counter.staging.iterdir()) == []


def test_a_parquet_file_with_text_in_another_encoding_is_named(counter: Counter) -> None:
    counter.hand_in_parquet(
        "a.parquet",
        "SELECT 'O1' AS \"order\", TIMESTAMP '2025-03-05' AS at, 'C1' AS customer, 'Pxx1' AS product, 1 AS units, "
        "1.5 AS price",
    )
    content = (counter.folder / "a.parquet").read_bytes()
    (counter.folder / "a.parquet").write_bytes(content.replace(b"Pxx1", b"P\xa3\xa31"))
    with pytest.raises(DataError, match=r"a\.parquet is damaged and cannot be read: .*encoding.*\nHint: deliver it"):
        counter.ingest(order_lines_mapping(files=("*.parquet",)))


def test_zero_bytes_in_parquet_are_trimmed_around_a_value_and_set_aside_within(counter: Counter) -> None:
    values = "('C1', 'NL00'), ('C10', 'BE'), ('C1', 'N0L'), ('C0D', 'BE')"
    counter.hand_in_parquet(
        "a.parquet",
        "SELECT 'O1' AS \"order\", TIMESTAMP '2025-03-05' AS at, replace(customer, '0', chr(0)) AS customer, "
        "'P1' AS product, 1 AS units, 2.5 AS price, replace(land, '0', chr(0)) AS land "
        f"FROM (VALUES {values}) AS t(customer, land)",
    )
    columns = order_lines_mapping().columns | {"country": "land"}

    outcome = counter.ingest(order_lines_mapping(files=("*.parquet",), columns=columns))

    assert outcome.rows("customer_id", "country", "repairs") == [
        ("C1", "NL", "country:trimmed"),
        ("C1", "BE", "customer_id:trimmed"),
    ]
    assert outcome.quarantine() == [
        ("a.parquet", 3, "zero_byte", "land", "N\0L"),
        ("a.parquet", 4, "broken_id", "customer", "C\0D"),
    ]


def test_quoted_fields_may_hold_separators_quotes_and_line_ends(counter: Counter) -> None:
    counter.hand_in("a.csv", f'{LINE},"P,1\nsays ""x"""', f"{LINE},P", header=f"{HEADER},name")
    mapping = order_lines_mapping(columns=order_lines_mapping().columns | {"product_name": "name"})
    outcome = counter.ingest(mapping)
    assert outcome.rows("product_name", "source_row") == [('P,1\nsays "x"', 1), ("P", 2)]


@pytest.mark.parametrize(("opened", "closed"), [("O1", "O3"), ("red", "lamp"), ("note", "note"), ("O1", "note")])
def test_a_stray_pair_of_quotes_swallows_no_row(counter: Counter, opened: str, closed: str) -> None:
    """The quotes lie in an id, in a mapped text, or in a column that nobody asks for, which is called note."""
    rows = [f"O{number},2025-03-05 10:00:00,C1,P1,1,1.50,red lamp,note" for number in range(5)]
    rows[1], rows[3] = rows[1].replace(opened, f'"{opened}'), rows[3].replace(closed, f'{closed}"')
    counter.hand_in("a.csv", *rows, header=f"{HEADER},name,remark")

    outcome = counter.ingest(order_lines_mapping(columns=ORDER_LINE_COLUMNS | {"product_name": "name"}))

    assert [order.strip('"') for (order,) in outcome.rows("order_id")] == ["O0", "O2", "O3", "O4"]
    assert outcome.quarantine() == [("a.csv", 2, "malformed_row", None, rows[1])]
    assert outcome.ingested.delivered_rows == 5


def test_value_with_line_breaks_and_separators_is_one_row(counter: Counter) -> None:
    name = "red lamp, large\nin two, or three, parts"
    counter.hand_in("a.csv", f'{LINE},"{name}"', f"{LINE},x", "", header=f"{HEADER},name")
    outcome = counter.ingest(order_lines_mapping(columns=ORDER_LINE_COLUMNS | {"product_name": "name"}))
    assert outcome.rows("source_row", "product_name") == [(1, name), (2, "x")]
    assert outcome.quarantine() == []


def test_malformed_rows_keep_the_numbers_of_the_rows_after_them(counter: Counter) -> None:
    counter.hand_in(
        "a.csv",
        LINE,
        "O1,2025-03-05 10:00:00",
        'O2,2025-03-05 10:00:00,C1,"P\n",2,1.50',
        "O3,2025-03-05 10:00:00,C1,P1,1,1.50",
        "O4,2025-03-05 10:00:00,C1,P1,1,50,1,50",
        "",
        "O5,2025-03-05 10:00:00,C1,P1,1,1.50",
    )
    outcome = counter.ingest()
    assert outcome.rows("order_id", "product_id", "source_row") == [
        ("O1", "P1", 1), ("O2", "P", 3), ("O3", "P1", 4), ("O5", "P1", 6)
    ]  # fmt: skip
    assert outcome.quarantine() == [
        ("a.csv", 2, "malformed_row", None, "O1,2025-03-05 10:00:00"),
        ("a.csv", 5, "malformed_row", None, "O4,2025-03-05 10:00:00,C1,P1,1,50,1,50"),
    ]


def test_an_open_quote_costs_one_row_and_not_the_rest_of_the_file(counter: Counter) -> None:
    broken = 'O2,2025-03-05 10:00:00,C1,"P1,2,1.50'
    counter.hand_in("a.csv", LINE, broken, LINE, broken, LINE, LINE)
    outcome = counter.ingest()
    assert outcome.quarantine() == [
        ("a.csv", 2, "malformed_row", None, broken),
        ("a.csv", 4, "malformed_row", None, broken),
    ]
    assert [row for (row,) in outcome.rows("source_row")] == [1, 3, 5, 6]


def test_mixed_line_ends_are_read(counter: Counter) -> None:
    (counter.folder / "a.csv").write_bytes(f"{HEADER}\r\n{LINE}\n{LINE}\r\n".encode())
    outcome = counter.ingest()
    assert outcome.rows("source_row") == [(1,), (2,)]
    assert outcome.quarantine() == []


def test_an_empty_field_after_the_last_one_is_tolerated(counter: Counter) -> None:
    counter.hand_in("a.csv", f"{LINE},", "O1,short")
    outcome = counter.ingest()
    assert outcome.rows("source_row") == [(1,)]
    assert outcome.quarantine() == [("a.csv", 2, "malformed_row", None, "O1,short")]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("beside", [(), ("O3,short",), (f'{LINE},"two\nlines"',)])
def test_row_of_separators_alone_is_no_row_but_counts_in_the_numbers(
    counter: Counter, ending: str, beside: tuple[str, ...]
) -> None:
    rows = (LINE, ",,,,,,", '"",,,,"",,', "", f"{LINE.replace('O1', 'O2')},x", *beside, *[",,,,,,"] * 20)
    (counter.folder / "a.csv").write_bytes("".join(f"{row}{ending}" for row in (f"{HEADER},note", *rows)).encode())

    outcome = counter.ingest(order_lines_mapping())

    short = [("a.csv", 1, "malformed_row", None, LINE)]
    aside = [("a.csv", 5, "malformed_row", None, "O3,short")] if beside == ("O3,short",) else []
    assert outcome.quarantine() == [*short, *aside]
    assert outcome.rows("source_row", "order_id")[0] == (4, "O2")
    assert outcome.ingested.part_rows == {"a.csv": 2 + len(beside)}
    assert reconcile_delivery(outcome.ingested).passed


def test_regular_file_with_empty_rows_keeps_its_row_numbers(counter: Counter) -> None:
    lines = [LINE.replace("O1", f"O{number}") for number in range(1, 4)]
    counter.hand_in("a.csv", ",,,,,", lines[0], ",,,,,", ",,,,,", lines[1], '"","","","","",""', lines[2], ",,,,,")
    outcome = counter.ingest()
    assert outcome.rows("source_row", "order_id") == [(2, "O1"), (5, "O2"), (7, "O3")]
    assert outcome.quarantine() == []
    assert outcome.ingested.delivered_rows == 3


def test_row_with_a_value_in_a_column_without_mapping_is_set_aside(counter: Counter) -> None:
    counter.hand_in("a.csv", f"{LINE},x", ",,,,,,x", ",,,,,, ", header=f"{HEADER},note")
    assert counter.ingest().quarantine() == [
        ("a.csv", 2, "missing_value", "order", None),
        ("a.csv", 3, "missing_value", "order", None),
    ]


def test_file_of_separators_alone_has_no_row(counter: Counter) -> None:
    counter.hand_in("a.csv", ",,,,,", ",,,,,")
    with pytest.raises(DataError, match=r"a\.csv: there is no row below the header"):
        counter.ingest()


def test_empty_line_of_a_file_with_one_column_is_no_row(counter: Counter) -> None:
    mapping = CustomersTable(files=("*.csv",), columns={"customer_id": "id"})
    for name, rows in (("a.csv", ("C1", "", "C2", "")), ("b.csv", ("C3", '""', "C4,x", ""))):
        counter.hand_in(name, *rows, header="id")
    outcome = counter.ingest(mapping)
    assert outcome.rows("source_file", "source_row", "customer_id") == [
        ("a.csv", 1, "C1"), ("a.csv", 3, "C2"), ("b.csv", 1, "C3"),
    ]  # fmt: skip
    assert outcome.quarantine() == [("b.csv", 3, "malformed_row", None, "C4,x")]


def test_parquet_row_without_any_value_is_no_row(counter: Counter) -> None:
    row = "SELECT '{}' AS \"order\", TIMESTAMP '2025-03-05 10:00:00' AS at, 'C1' AS customer, 'P1' AS product, "
    row += "1 AS units, 2.5::DECIMAL(9,2) AS price, {} AS note"
    nothing = "SELECT {}, NULL, '', NULL, NULL, NULL, {}"
    rows = (nothing.format("''", "NULL"), row.format("O2", "NULL"), nothing.format("NULL", "[1]"))
    counter.hand_in_parquet("a.parquet", " UNION ALL ".join((row.format("O1", "NULL"), *rows)))

    outcome = counter.ingest(order_lines_mapping(files=("*.parquet",)))

    assert outcome.rows("source_row", "order_id") == [(1, "O1"), (3, "O2")]
    assert outcome.quarantine() == [("a.parquet", 4, "missing_value", "order", None)]
    assert outcome.ingested.part_rows == {"a.parquet": 3}
    assert reconcile_delivery(outcome.ingested).passed


def test_instants_with_a_zone_become_local_time_of_the_shop(counter: Counter) -> None:
    counter.hand_in_parquet(
        "a.parquet",
        "SELECT 'O1' AS \"order\", TIMESTAMPTZ '2025-06-30 23:30:00+00' AS at, 'C1' AS customer, 'P1' AS product, "
        "1 AS units, 2.5::DECIMAL(9,2) AS price",
    )
    counter.hand_in("b.csv", LINE.replace("O1", "O2").replace("2025-03-05 10:00:00", "2025-01-31T23:30:00-0100"))
    mapping = order_lines_mapping(files=("*",), date_format="%Y-%m-%dT%H:%M:%S%z")

    outcome = counter.ingest(mapping, time_zone="Europe/London")

    assert outcome.rows("order_id", "CAST(order_at AS VARCHAR)") == [
        ("O1", "2025-07-01 00:30:00"),
        ("O2", "2025-02-01 00:30:00"),
    ]
    assert outcome.ingested.months == ("2025-02-01", "2025-07-01")


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param((), id="none"),
        pytest.param((f'{LINE},"one\ntwo\n\nfour"',), id="text of several lines"),
        pytest.param((f'{LINE},"open',), id="open quote up to the end of the file"),
        pytest.param((f'{LINE},"open', f"{LINE},x", f'{LINE},"closed"'), id="open quote up to the next one"),
        pytest.param((f'{LINE},in"side', f'"{LINE}",x'), id="stray quotes"),
        pytest.param((f'{LINE},"shut"too early',), id="text behind a quote"),
        pytest.param((LINE, "", "x", f"{LINE},a,b", f"{LINE},a,"), id="too few and too many cells"),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_every_line_is_a_row_or_stands_within_a_value(counter: Counter, damage: tuple[str, ...], line_end: str) -> None:
    """Counts the lines of the file by themselves, without any reader of CSV."""
    text = "\n".join((f"{HEADER},name", f"{LINE},first", *damage, f"{LINE},last", f"{LINE},last", ""))
    (counter.folder / "a.csv").write_bytes(text.replace("\n", line_end).encode())
    mapping = order_lines_mapping(columns=order_lines_mapping().columns | {"product_name": "name"})
    scratch = counter.staging
    scratch.mkdir()
    (part,) = open_file(Reader(counter.connection, RAW_ORDER_LINES, mapping, counter.folder, scratch), "a.csv", 0)

    rows = counter.connection.execute(f"SELECT COLUMNS('raw_.*'), malformed FROM ({part.sql})").fetchall()

    within = sum((value or "").count("\n") for row in rows for value in row)
    blank = damage.count("")
    assert len(rows) + within + blank == len(text.splitlines()) - 1
