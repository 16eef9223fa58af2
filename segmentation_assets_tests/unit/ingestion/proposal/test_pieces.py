from segmentation_assets.ingestion.proposal.pieces import BLOCK_BYTES, PIECE_BYTES, pieces_of


def test_small_text_is_its_own_beginning() -> None:
    pieces = pieces_of(b"a;b\n1;2\n")
    assert (pieces.head, pieces.later, pieces.is_whole) == (b"a;b\n1;2\n", (), True)


def test_large_text_leaves_a_few_small_pieces_and_its_end() -> None:
    content = b"".join(b"%04d" % number * (BLOCK_BYTES // 4) for number in range(39)) + b"the end\n"
    pieces = pieces_of(content)
    assert not pieces.is_whole
    assert pieces.head == content[:BLOCK_BYTES]
    assert pieces.later[-1] == content[-PIECE_BYTES:]
    assert len(pieces.later) <= 17
    assert [int(piece[:4]) for piece in pieces.later[:-1]] == list(range(4, 39, 4))


def test_first_byte_that_is_not_utf8_is_found_across_blocks() -> None:
    assert pieces_of(b"x" * (BLOCK_BYTES - 1) + "é".encode() + b"y").bad_utf8 is None
    assert pieces_of(b"x" * (BLOCK_BYTES + 5) + b"\xe9y").bad_utf8 == BLOCK_BYTES + 5
    assert pieces_of(b"ab\xc3").bad_utf8 == 2


def test_bytes_without_a_meaning_in_cp1252_are_noticed() -> None:
    assert pieces_of(b"\x80").fits_cp1252
    assert not pieces_of(b"\x81").fits_cp1252
