"""The text of delivered CSV files: unpacking, decoding to UTF-8, headers, and records that do not fit the header."""

from __future__ import annotations

import codecs
import csv
import gzip
import logging
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from segmentation_assets.errors import DataError, SettingsError

_log = logging.getLogger("segmentation_assets.ingestion")

_CHUNK_BYTES = 1 << 20
_ZSTD_CHUNK_BYTES = 1 << 12
"""Packed bytes unpacked at once: one block of 128 kB may be packed into four bytes."""

_ZSTD_WINDOW_BYTES = 1 << 31
"""Largest window that the zstd command writes (--long=31)."""

_LONGEST_VALUE = 500
_FEWEST_COLUMNS = 4
"""Columns from which on a line of a value hardly has as many separators by chance as a row has."""


def utf8_text(path: Path, name: str, encoding: str, scratch: Path) -> Path:
    """Return a plain UTF-8 file with the text of a delivered CSV file.

    Parameters
    ----------
    path : Path
        Delivered file, packed by gzip where its name ends in ``.gz`` and by Zstandard where it ends in ``.zst``.
    name : str
        Name used in errors.
    encoding : str
        Declared encoding, as Python names it.
    scratch : Path
        File to write to where the delivered file is packed or not UTF-8.

    Returns
    -------
    Path
        `path` itself where it is plain UTF-8 already, else `scratch`.

    Raises
    ------
    DataError
        A byte is not text in the declared encoding, a zero byte stands in the text, the file begins with the mark of
        UTF-8 although another encoding is declared, or the packed file is damaged.
    SettingsError
        The encoding is not known.
    """
    codec = _codec(name, encoding)
    if codec == "utf-8" and not is_packed(path):
        for _ in _decoded(path, name, codec):
            pass
        return path
    is_ascii = True
    with scratch.open("wb") as target:
        for text in _decoded(path, name, codec):
            is_ascii = is_ascii and text.isascii()
            target.write(text.encode("utf-8"))
    if not is_ascii and not codec.startswith("utf-") and _is_utf8(path, name):
        _log.warning(
            "%s is UTF-8 text but is read as %s, as the settings say, so that £ becomes Â£; set the encoding to utf-8",
            name,
            codec,
        )
    return scratch


def read_header(path: Path, name: str, separator: str) -> tuple[str, ...]:
    """Return the column names in the first line of a UTF-8 CSV file.

    Raises
    ------
    DataError
        The first line is empty or its quotes are not closed.
    """
    with path.open(encoding="utf-8-sig", newline="") as stream:
        try:
            header = next(csv.reader(stream, delimiter=separator, strict=True), [])
        except csv.Error as problem:
            raise DataError(f"{name}: the header line cannot be read: {problem}", "check its quotes.") from problem
    if not header:
        raise DataError(f"{name}: the first line is empty; expected the column names", "put them in the first line.")
    return tuple(header)


def count_lines(path: Path) -> int:
    """Count the lines of a UTF-8 file that hold more than white space."""
    with path.open("rb") as stream:
        return sum(1 for line in stream if line.strip())


def rewrite_records(path: Path, separator: str, width: int, target: Path) -> int:
    """Write the records of an irregular CSV file with their number, those that do not fit the header marked.

    Parameters
    ----------
    path : Path
        UTF-8 CSV file with a header.
    separator : str
        One character.
    width : int
        Fields the header promises.
    target : Path
        File to write: comma-separated without a header; record number from 1, the text of a malformed record (else
        empty), then `width` fields (empty for a malformed record).

    Returns
    -------
    int
        Records written.

    Notes
    -----
    A record whose quotes are wrong, as `read_data_records` says, ends with its first line. Records of which every field
    is empty are left out, and counted in the numbers of those after them; lines without anything are no records.
    """
    with path.open(encoding="utf-8-sig", newline="") as stream, target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
        number = written = 0
        for fields, is_well_formed in read_data_records(stream, separator):
            number += bool(fields) or width == 1
            if not any(fields):
                continue
            written += 1
            kept = fields[:width] if len(fields) == width + 1 and not fields[-1] else fields
            if is_well_formed and len(kept) == width:
                writer.writerow([number, "", *kept])
            else:
                writer.writerow([number, separator.join(fields)[:_LONGEST_VALUE], *([""] * width)])
    return written


def _codec(name: str, encoding: str) -> str:
    """Return the name of an encoding of text; Python also knows codecs from bytes to bytes."""
    try:
        "".encode(encoding)
        return codecs.lookup(encoding).name
    except (LookupError, UnicodeError) as problem:
        raise SettingsError(
            f"{name}: '{encoding}' is not an encoding", "write utf-8, cp1252, iso-8859-1 or utf-16, for example."
        ) from problem


def _decoded(path: Path, name: str, codec: str) -> Iterator[str]:
    """Decode a file chunk by chunk, without its byte order mark."""
    decoder = codecs.getincrementaldecoder(codec)()
    read_bytes = lines = 0
    for chunk in chain(unpacked_chunks(path, name), [b""]):
        is_start = read_bytes == 0
        if is_start and chunk.startswith(codecs.BOM_UTF8) and not codec.startswith("utf-"):
            raise DataError(
                f"{name} begins with the mark of UTF-8; declared is {codec}",
                "set the encoding of this table to utf-8; all its CSV files are read by the same.",
            )
        read_bytes += len(chunk)
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as problem:
            offset = read_bytes - len(problem.object) + problem.start
            line = lines + problem.object[: problem.start].count(b"\n") + 1
            raise DataError(
                f"{name}: byte {problem.object[problem.start]:#04x} at offset {offset} (line {line}) "
                f"is not {codec} text",
                "set the encoding of this table to that of the file, for example cp1252.",
            ) from problem
        except UnicodeError as problem:
            raise DataError(
                f"{name} is not {codec} text: {problem}", "set the encoding of this table to that of the file."
            ) from problem
        _refuse_zero_bytes(text, name, lines)
        lines += text.count("\n")
        yield text.removeprefix("\ufeff") if is_start else text


def _refuse_zero_bytes(text: str, name: str, lines: int) -> None:
    """Stop at a character that no text has, but the inside of damaged files and of UTF-16 read as another encoding."""
    if "\0" in text:
        line = lines + text[: text.index("\0")].count("\n") + 1
        raise DataError(
            f"{name}: line {line} holds a zero byte, which no text has",
            "set the encoding to utf-16-le or utf-16-be if the file was written so; else deliver it again.",
        )


def _is_utf8(path: Path, name: str) -> bool:
    try:
        for _ in _decoded(path, name, "utf-8"):
            pass
    except DataError:
        return False
    return True


def is_packed(path: Path) -> bool:
    """Whether a text file is packed, by the end of its name."""
    return path.suffix.lower() in _UNPACKERS


def unpacked_chunks(path: Path, name: str) -> Iterator[bytes]:
    """Yield the bytes of a text file, unpacked where it is packed; `name` is what errors call it."""
    unpack = _UNPACKERS.get(path.suffix.lower(), _plain)
    with path.open("rb") as stream:
        yield from filter(None, unpack(stream, name))


def _plain(stream: BinaryIO, name: str) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK_BYTES):
        yield chunk


def _gunzip(stream: BinaryIO, name: str) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=stream) as unpacked:
        try:
            while chunk := unpacked.read(_CHUNK_BYTES):
                yield chunk
        except (gzip.BadGzipFile, EOFError, zlib.error) as problem:
            raise _damaged(name, problem) from problem


def _unpack_zstd(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """Unpack frame after frame; the end of the file must be the end of a frame."""
    import zstandard

    unpacker = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES).decompressobj()
    is_within = True
    while packed := stream.read(_ZSTD_CHUNK_BYTES):
        while packed:
            is_within = True
            try:
                yield unpacker.decompress(packed)
            except zstandard.ZstdError as problem:
                raise _damaged(name, problem) from problem
            packed = b""
            if unpacker.eof:
                packed, is_within = unpacker.unused_data, False
                unpacker = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES).decompressobj()
    if is_within:
        raise _damaged(name, "the file ends within a frame")


def _damaged(name: str, problem: object) -> DataError:
    return DataError(f"{name} is damaged and cannot be unpacked: {problem}", "deliver it again.")


_UNPACKERS: dict[str, Callable[[BinaryIO, str], Iterator[bytes]]] = {".gz": _gunzip, ".zst": _unpack_zstd}
"""Ending of a packed file's name, and what yields its bytes."""


class _Lines:
    """Lines of a stream, of which those since the last mark can be read again."""

    def __init__(self, stream: Iterable[str]) -> None:
        self._stream = iter(stream)
        self._waiting: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else next(self._stream)
        self.taken.append(line)
        return line

    def mark(self) -> None:
        """Forget the lines taken so far."""
        self.taken = []

    def return_all_but_first(self) -> str:
        """Give back the lines since the mark except the first, which is returned."""
        first, *others = self.taken
        self._waiting.extendleft(reversed(others))
        return first


def read_data_records(stream: Iterable[str], separator: str) -> Iterator[tuple[list[str], bool]]:
    """Yield the fields of each record after the header, and whether its quotes are well formed.

    Where they are not, the record ends with its first line, so that one open quote does not swallow what follows. They
    are not either where a record takes several lines, and its first and its last each have all fields by themselves: a
    stray quote in each of two rows makes one of both and of all between.
    """
    lines = _Lines(stream)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    width = len(next(reader, []))
    while True:
        lines.mark()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield [lines.return_all_but_first().rstrip("\r\n")], False
        else:
            ends = (lines.taken[0], lines.taken[-1]) if len(lines.taken) > 1 and width >= _FEWEST_COLUMNS else ()
            if ends and all(line.count(separator) >= width - 1 for line in ends):
                yield [lines.return_all_but_first().rstrip("\r\n")], False
            else:
                yield fields, True
