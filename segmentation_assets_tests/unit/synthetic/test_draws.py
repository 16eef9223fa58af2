import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmentation_assets.synthetic.draws import Draws, number_members

KEYS = np.arange(50_000, dtype=np.int64)
MASK = (1 << 64) - 1


def mix_by_hand(word: int) -> int:
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & MASK
    return word ^ (word >> 31)


@given(seed=st.integers(0, 2**31), key=st.integers(0, 2**53))
def test_uniform_equals_the_hash_computed_with_plain_integers(seed: int, key: int) -> None:
    stream = int.from_bytes(hashlib.blake2b(f"{seed}:coin".encode(), digest_size=8).digest(), "little")
    word = mix_by_hand((mix_by_hand((key * 0x9E3779B97F4A7C15) & MASK) + stream) & MASK)
    expected = ((word >> 12) + 0.5) / 2**52
    assert Draws(seed).uniform("coin", np.array([key]))[0] == expected
    assert 0 < expected < 1


def test_mixing_matches_the_published_sequence_of_splitmix64() -> None:
    assert mix_by_hand(0x9E3779B97F4A7C15) == 0xE220A8397B1DCDAF


def test_uniform_fills_the_unit_interval_evenly() -> None:
    shares = np.histogram(Draws(7).uniform("coin", KEYS), bins=10, range=(0, 1))[0] / len(KEYS)
    assert shares == pytest.approx(np.full(10, 0.1), abs=0.006)


@pytest.mark.parametrize(("seed", "purpose"), [(8, "coin"), (7, "die")])
def test_another_seed_or_purpose_is_uncorrelated(seed: int, purpose: str) -> None:
    other = Draws(seed).uniform(purpose, KEYS)
    assert abs(np.corrcoef(Draws(7).uniform("coin", KEYS), other)[0, 1]) < 0.02


def test_a_draw_depends_on_its_own_key_only() -> None:
    drawn = Draws(7).uniform("coin", KEYS)
    assert Draws(7).uniform("coin", KEYS[::-7]).tolist() == drawn[::-7].tolist()


def test_normal_has_mean_zero_and_deviation_one() -> None:
    drawn = Draws(7).normal("height", KEYS)
    assert (drawn.mean(), drawn.std()) == (pytest.approx(0, abs=0.02), pytest.approx(1, abs=0.02))
    assert np.mean(np.abs(drawn) < 1.959964) == pytest.approx(0.95, abs=0.005)


@pytest.mark.parametrize("shape", [1, 4])
def test_gamma_has_mean_one_and_the_variance_of_its_shape(shape: int) -> None:
    drawn = Draws(7).gamma("rate", KEYS, np.full(len(KEYS), shape))
    assert (drawn.mean(), drawn.var()) == (pytest.approx(1, abs=0.02), pytest.approx(1 / shape, rel=0.06))


def test_gamma_of_one_shape_does_not_depend_on_the_shapes_beside_it() -> None:
    together = Draws(7).gamma("rate", KEYS[:3], np.array([1, 4, 2]))
    alone = [Draws(7).gamma("rate", KEYS[i : i + 1], np.array([shape]))[0] for i, shape in enumerate((1, 4, 2))]
    assert together.tolist() == alone


def test_poisson_has_equal_mean_and_variance() -> None:
    counts = Draws(7).poisson("orders", KEYS, np.full(len(KEYS), 1.7), most=20)
    assert (counts.mean(), counts.var()) == (pytest.approx(1.7, abs=0.03), pytest.approx(1.7, abs=0.06))


def test_poisson_stays_within_its_bounds() -> None:
    counts = Draws(7).poisson("orders", KEYS[:2000], np.repeat([0.0, 50.0], 1000), most=5)
    assert counts.tolist() == [0] * 1000 + [5] * 1000


def test_members_are_numbered_from_zero_in_each_group() -> None:
    assert number_members(np.array([0, 1, 3, 0, 2])).tolist() == [0, 0, 1, 2, 0, 1]
