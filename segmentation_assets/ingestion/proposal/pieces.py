"""The bytes that are looked at in a text file: its beginning, pieces from further down and its end."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from segmentation_assets.ingestion.decoding import is_packed, unpacked_chunks

BLOCK_BYTES = 1 << 20
PIECE_BYTES = 1 << 16
MOST_BLOCKS = 256
_MOST_PIECES = 16
_UNDEFINED_IN_CP1252 = b"\x81\x8d\x8f\x90\x9d"


@dataclass(frozen=True)
class Pieces:
    """What was read of a text file.

    Parameters
    ----------
    head : bytes
        The first block.
    later : tuple of bytes
        Pieces from further down, in file order; the last one is the end of the file where that was reached.
    is_whole : bool
        Whether `head` is all there is.
    was_scanned : bool
        Whether every byte was read once, so that what the others say holds for the whole file.
    bad_utf8 : int or None
        Offset of the first byte that is not UTF-8.
    first_null : int or None
        Offset of the first zero byte.
    fits_cp1252 : bool
        Whether every byte read has a meaning in cp1252.
    is_ascii : bool
        Whether every byte read is the same in all the usual encodings.
    """

    head: bytes
    later: tuple[bytes, ...] = ()
    is_whole: bool = True
    was_scanned: bool = True
    bad_utf8: int | None = None
    first_null: int | None = None
    fits_cp1252: bool = True
    is_ascii: bool = True


@dataclass
class _Scan:
    """Looks at every block once and keeps evenly spread pieces."""

    head: bytes = b""
    end: bytes = b""
    read_bytes: int = 0
    bad_utf8: int | None = None
    first_null: int | None = None
    fits_cp1252: bool = True
    is_ascii: bool = True
    kept: list[tuple[int, bytes]] = field(default_factory=list)
    stride: int = 1
    decoder: codecs.IncrementalDecoder = field(default_factory=codecs.getincrementaldecoder("utf-8"))

    def take(self, index: int, block: bytes) -> None:
        """Look at the next block."""
        self._check_text(block)
        if index == 0:
            self.head = block
        elif index % self.stride == 0:
            self.kept.append((index, block[:PIECE_BYTES]))
            self._thin_out()
        self.end = (self.end + block)[-PIECE_BYTES:]
        self.read_bytes += len(block)

    def _check_text(self, block: bytes) -> None:
        if self.first_null is None and b"\0" in block:
            self.first_null = self.read_bytes + block.index(b"\0")
        self.fits_cp1252 = self.fits_cp1252 and not any(byte in block for byte in _UNDEFINED_IN_CP1252)
        self.is_ascii = self.is_ascii and block.isascii()
        if self.bad_utf8 is not None:
            return
        try:
            self.decoder.decode(block)
        except UnicodeDecodeError as problem:
            self.bad_utf8 = self.read_bytes + len(block) - len(problem.object) + problem.start

    def _thin_out(self) -> None:
        if len(self.kept) > _MOST_PIECES:
            self.stride *= 2
            self.kept = [(index, piece) for index, piece in self.kept if index % self.stride == 0]

    def finish(self) -> None:
        """Notice a character that the file breaks off in."""
        try:
            self.decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            self.bad_utf8 = self.bad_utf8 if self.bad_utf8 is not None else self.read_bytes - 1


def read_pieces(path: Path, name: str) -> Pieces:
    """Read the pieces of a text file that are looked at; packed where its name ends in ``.gz`` or ``.zst``.

    Parameters
    ----------
    path : Path
    name : str
        Name used in errors.

    Returns
    -------
    Pieces
        Of at most 256 MiB unpacked; of a larger file the end too, unless it is packed. Memory stays below 5 MiB.

    Raises
    ------
    DataError
        The packed file is damaged.
    """
    scan, was_scanned = _Scan(), True
    for index, block in enumerate(_blocks(path, name)):
        if index == MOST_BLOCKS:
            was_scanned = False
            break
        scan.take(index, block)
    if not was_scanned and not is_packed(path):
        scan.end = _end_of(path)
    return _collected(scan, was_scanned=was_scanned)


def pieces_of(content: bytes) -> Pieces:
    """Return the pieces of a text that is at hand.

    Examples
    --------
    >>> pieces_of(b"a;b").is_whole
    True
    """
    scan = _Scan()
    for start in range(0, len(content), BLOCK_BYTES):
        scan.take(start // BLOCK_BYTES, content[start : start + BLOCK_BYTES])
    return _collected(scan, was_scanned=True)


def _collected(scan: _Scan, *, was_scanned: bool) -> Pieces:
    if was_scanned:
        scan.finish()
    is_whole = was_scanned and scan.read_bytes == len(scan.head)
    return Pieces(
        head=scan.head,
        later=() if is_whole else (*(piece for _, piece in scan.kept), scan.end),
        is_whole=is_whole,
        was_scanned=was_scanned,
        bad_utf8=scan.bad_utf8,
        first_null=scan.first_null,
        fits_cp1252=scan.fits_cp1252,
        is_ascii=scan.is_ascii,
    )


def _blocks(path: Path, name: str) -> Iterator[bytes]:
    waiting = bytearray()
    for chunk in unpacked_chunks(path, name):
        waiting += chunk
        while len(waiting) >= BLOCK_BYTES:
            yield bytes(waiting[:BLOCK_BYTES])
            del waiting[:BLOCK_BYTES]
    if waiting:
        yield bytes(waiting)


def _end_of(path: Path) -> bytes:
    with path.open("rb") as stream:
        stream.seek(-PIECE_BYTES, 2)
        return stream.read()
