"""Random draws addressed by key: the same key always gets the same draw, whatever else is drawn."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Draws:
    """Independent streams of draws, one per purpose, addressed by integer keys.

    Parameters
    ----------
    seed : int
        Seed of all streams, 0 or larger.

    Notes
    -----
    A draw is a hash of seed, purpose and key (SplitMix64's finalizer, applied before and after the stream is added).
    A customer's draws therefore do not depend on how many customers there are, nor a month's on later months, and
    no library's generator can change them.

    References
    ----------
    Steele, Lea and Flood (2014), Fast splittable pseudorandom number generators, doi:10.1145/2660193.2660195.
    """

    seed: int

    def uniform(self, purpose: str, keys: NDArray[np.int64]) -> NDArray[np.float64]:
        """Draw from the uniform distribution strictly between 0 and 1.

        Parameters
        ----------
        purpose : str
            Name of the stream.
        keys : ndarray of int, any shape
            Non-negative keys.

        Returns
        -------
        ndarray of float, shape of `keys`
        """
        import numpy as np

        digest = hashlib.blake2b(f"{self.seed}:{purpose}".encode(), digest_size=8).digest()
        stream = np.uint64(int.from_bytes(digest, "little"))
        mixed = _mix(_mix(keys.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) + stream)
        drawn: NDArray[np.float64] = ((mixed >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
        return drawn

    def normal(self, purpose: str, keys: NDArray[np.int64]) -> NDArray[np.float64]:
        """Draw from the standard normal distribution (Box and Muller)."""
        import numpy as np

        radius = np.sqrt(-2 * np.log(self.uniform(f"{purpose}, radius", keys)))
        drawn: NDArray[np.float64] = radius * np.cos(2 * np.pi * self.uniform(f"{purpose}, angle", keys))
        return drawn

    def gamma(self, purpose: str, keys: NDArray[np.int64], shapes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Draw from gamma distributions with mean 1 and whole-numbered shapes of at least 1, one per key."""
        import numpy as np

        total = np.zeros(len(keys))
        for part in range(int(shapes.max(initial=0))):
            total -= np.log(self.uniform(f"{purpose}, part {part}", keys)) * (shapes > part)
        drawn: NDArray[np.float64] = total / shapes
        return drawn

    def poisson(
        self, purpose: str, keys: NDArray[np.int64], rates: NDArray[np.float64], *, most: int
    ) -> NDArray[np.int64]:
        """Draw Poisson counts by inversion, one rate per key; counts above `most` become `most`."""
        import numpy as np

        uniform = self.uniform(purpose, keys)
        probability = np.exp(-rates)
        cumulative = probability.copy()
        counts = np.zeros(len(keys), dtype=np.int64)
        rows = np.arange(len(keys))
        for count in range(1, most + 1):
            rows = rows[uniform[rows] > cumulative[rows]]
            if len(rows) == 0:
                break
            counts[rows] = count
            probability[rows] *= rates[rows] / count
            cumulative[rows] += probability[rows]
        return counts

    def categories(self, purpose: str, keys: NDArray[np.int64], shares: Sequence[float]) -> NDArray[np.int64]:
        """Draw places in a list of shares, which need not add up to 1."""
        import numpy as np

        edges = np.cumsum(shares)
        places: NDArray[np.int64] = np.searchsorted(edges[:-1] / edges[-1], self.uniform(purpose, keys), side="right")
        return places


def number_members(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the members of consecutive groups, each from 0.

    Parameters
    ----------
    sizes : ndarray of int, shape (n_groups,)
        Size of each group, 0 or larger.

    Returns
    -------
    ndarray of int, shape (sum of sizes,)

    Examples
    --------
    >>> import numpy as np
    >>> number_members(np.array([2, 0, 3])).tolist()
    [0, 1, 0, 1, 2]
    """
    import numpy as np

    starts = np.cumsum(sizes) - sizes
    members: NDArray[np.int64] = np.arange(sizes.sum()) - np.repeat(starts, sizes)
    return members


def _mix(values: NDArray[Any]) -> NDArray[Any]:
    """Scramble 64-bit words one to one (finalizer of SplitMix64)."""
    import numpy as np

    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[Any] = values ^ (values >> np.uint64(31))
    return mixed
