import re

import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.proposal.pieces import pieces_of
from segmentation_assets.ingestion.proposal.sample import Finding
from segmentation_assets.ingestion.proposal.synonyms import count_known
from segmentation_assets.ingestion.proposal.text_form import decode_pieces, find_encoding, find_separator


@pytest.mark.parametrize(
    ("content", "encoding"),
    [("é".encode(), "utf-8"), (b"abc", "utf-8"), ("é".encode("utf-8-sig"), "utf-8"), ("é".encode("utf-16"), "utf-16")],
)
def test_encoding_is_certain_by_mark_or_by_all_bytes(content: bytes, encoding: str) -> None:
    found = find_encoding(pieces_of(content), "a.csv")
    assert (found.value, found.doubt) == (encoding, "")
    assert decode_pieces(pieces_of(content), encoding)[0] in ("é", "abc")


def test_what_is_not_utf8_is_guessed_to_be_cp1252_and_shows_its_words() -> None:
    found = find_encoding(pieces_of("id;Straße".encode("cp1252")), "a.csv")
    assert found.value == "cp1252"
    assert found.doubt == "byte 7 is not UTF-8; it reads 'Straße'; else iso-8859-1, cp1250, cp850, mac-roman"


def test_bytes_unknown_to_cp1252_are_guessed_to_be_latin_1() -> None:
    assert find_encoding(pieces_of(b"a\x81b"), "a.csv").value == "iso-8859-1"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"ab\0c", "a.csv is no text file (byte 0x00 at offset 2)\nHint: export it as CSV in UTF-8."),
        (b"PK\x03\x04\0", "a.csv is no text file (byte 0x00 at offset 4)\nHint: it is a workbook or a zip archive"),
        (b"\x1f\x8babc", "a.csv is no text file\nHint: it is packed; let its name end in .csv.gz."),
        (b"PAR1abc", "a.csv is no text file\nHint: it is a Parquet file; let its name end in .parquet."),
    ],
)
def test_binary_file_is_refused_with_what_it_seems_to_be(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        find_encoding(pieces_of(content), "a.csv")


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n3,5;4,5\n", ";"),
        ("a\tb\n1,5\t2\n", "\t"),
        ("a|b\n1;5|2\n", "|"),
        ('a,b\n"1,5","2;3"\n', ","),
        ('a;b\n"x\n1;2;3";2\n', ";"),
    ],
)
def test_separator_splits_every_record_like_the_header(text: str, separator: str) -> None:
    assert find_separator(text, "a.csv", count_known) == Finding(separator)


def test_known_names_decide_between_separators_that_split_alike() -> None:
    assert find_separator("SKU;Price, net\n1;2,5\n", "a.csv", count_known) == Finding(";")


def test_separators_that_split_alike_are_a_guess_that_names_both() -> None:
    found = find_separator("a;b,c\n1;2,5\n", "a.csv", count_known)
    assert set(found.others) == {",", ";"}
    assert "splits the rows evenly, but so does" in found.doubt


def test_records_that_do_not_fit_the_header_are_told() -> None:
    found = find_separator("a,b\n1,2\n1,2,3\n4,5,\n", "a.csv", count_known)
    assert found == Finding(",", "25.0% of the records do not have the 2 fields of the header; they are set aside")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a\n1\n",
            "a.csv has one column, 'a': none of comma, semicolon, tab, bar splits its rows like its header\nHint: ",
        ),
        ("\na,b\n", "a.csv: the first line is empty; expected the column names\nHint: put them in the first line."),
        (
            "sep=;\na;b\n",
            "a.csv: the first line is 'sep=;', a note to a spreadsheet; expected the column names\nHint: ",
        ),
    ],
)
def test_text_that_is_no_table_is_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        find_separator(text, "a.csv", count_known)
