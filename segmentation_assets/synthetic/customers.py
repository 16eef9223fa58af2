"""What the synthetic shop knows of its customers: who they are, and when they registered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segmentation_assets.config.synthetic import SyntheticSettings
from segmentation_assets.synthetic.calendar import SECONDS_PER_DAY, BusinessCalendar, spread_over_days
from segmentation_assets.synthetic.draws import Draws
from segmentation_assets.synthetic.households import GENDERS, draw_households
from segmentation_assets.synthetic.people import personal_data
from segmentation_assets.synthetic.population import CUSTOMER_DIGITS, JOINING_MONTHS, Population

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

COUNTRIES = {"Netherlands": 0.34, "Germany": 0.26, "Belgium": 0.16, "France": 0.12, "Austria": 0.07, "Spain": 0.05}
"""Country → share of customers."""

_ACQUISITION = {"search": 0.34, "social": 0.22, "store": 0.18, "referral": 0.14, "marketplace": 0.12}
_WHOLESALE_SHARES = (0.7, 0.005)
"""Share of wholesale accounts among bulk buyers and among all others."""

_STAFF_SHARE = 0.004
_NEWSLETTER_SHARE = 0.6
_YOUNGEST = 19
"""Years from the year of birth to that of registration, so that everybody is 18 by then."""

_EARLY_DAYS = 30
_LONG_BEFORE_SHARE = 0.4


def number_texts(prefix: str, numbers: NDArray[np.int64], digits: int) -> NDArray[np.str_]:
    """Write numbers with leading zeros behind a one-letter prefix."""
    import numpy as np

    letters = np.empty((len(numbers), digits + 1), dtype=np.uint32)
    letters[:, 0] = ord(prefix)
    letters[:, 1:] = numbers[:, None] // 10 ** np.arange(digits - 1, -1, -1) % 10 + ord("0")
    texts: NDArray[np.str_] = letters.view(f"U{digits + 1}")[:, 0]
    return texts


def draw_countries(draws: Draws, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Draw places in `COUNTRIES`."""
    return draws.categories("country", numbers, list(COUNTRIES.values()))


def customers_frame(
    draws: Draws, population: Population, calendar: BusinessCalendar, settings: SyntheticSettings
) -> pd.DataFrame:
    """List all customers ever, those who register after the last month too.

    Returns
    -------
    DataFrame
        A customer, by number: ``customer_id``, ``registered_on``, ``birth_year``, ``country``, ``gender``,
        ``household_size``, ``acquisition_channel``, ``newsletter_since`` (missing without newsletter),
        ``account_type``; with ``personal_data`` also ``first_name``, ``last_name``, ``email``, ``phone``,
        ``street``, ``postcode``, ``city``. Nothing depends on the last month.
    """
    import numpy as np
    import pandas as pd

    numbers = population.numbers
    registered = _registration_days(draws, population, calendar)
    households = draw_households(draws, numbers)
    first_year = calendar.months[0].astype("datetime64[Y]").astype(int) + 1970
    registered_year = registered.astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970
    born = np.minimum(first_year - np.minimum(households.ages, 90), registered_year - _YOUNGEST)
    frame = pd.DataFrame(
        {
            "customer_id": number_texts("C", numbers, CUSTOMER_DIGITS),
            "registered_on": registered.astype("datetime64[D]").astype("datetime64[s]"),
            "birth_year": born,
            "country": _texts(COUNTRIES, draw_countries(draws, numbers)),
            "gender": _texts(GENDERS, households.genders),
            "household_size": households.sizes,
            "acquisition_channel": _texts(
                _ACQUISITION, draws.categories("acquired by", numbers, list(_ACQUISITION.values()))
            ),
            "newsletter_since": _newsletter_days(draws, numbers, registered),
            "account_type": _account_types(draws, population),
        }
    )
    if not settings.personal_data:
        return frame
    endings = number_texts(".", numbers, CUSTOMER_DIGITS)
    return frame.assign(**personal_data(draws, numbers, endings, frame["country"], frame["gender"]))


def _texts(categories: dict[str, float], places: NDArray[Any]) -> pd.Categorical:
    import pandas as pd

    return pd.Categorical.from_codes(places, list(categories))


def _account_types(draws: Draws, population: Population) -> pd.Categorical:
    """Most bulk buyers have told the shop that they are wholesalers; so have some who buy little. A few are staff."""
    import numpy as np
    import pandas as pd

    probability = np.where(population.is_bulk_buyer, *_WHOLESALE_SHARES)
    is_wholesale = draws.uniform("wholesale", population.numbers) < probability
    is_staff = draws.uniform("staff", population.numbers) < _STAFF_SHARE
    places = np.select([is_wholesale, is_staff], [2, 1], default=0)
    return pd.Categorical.from_codes(places, ["consumer", "staff", "wholesale"])


def _newsletter_days(draws: Draws, numbers: NDArray[np.int64], registered: NDArray[np.int64]) -> NDArray[np.datetime64]:
    """Who takes the newsletter does so when registering."""
    import numpy as np

    has_it = draws.uniform("newsletter", numbers) < _NEWSLETTER_SHARE
    return np.where(has_it, registered.astype("datetime64[D]").astype("datetime64[s]"), np.datetime64("NaT", "s"))


def _registration_days(draws: Draws, population: Population, calendar: BusinessCalendar) -> NDArray[np.int64]:
    """Day of registration in days since 1970: up to a month before the first order, or any day from the opening on."""
    import numpy as np

    numbers = population.numbers
    joined = _join_days(population, calendar)
    waited = np.maximum(joined - int(calendar.starts[0]) // SECONDS_PER_DAY, 0)
    is_long = (draws.uniform("registered long before", numbers) < _LONG_BEFORE_SHARE) & (waited > _EARLY_DAYS)
    early = draws.uniform("registered early", numbers)
    days: NDArray[np.int64] = joined - np.where(is_long, early * waited, early**3 * _EARLY_DAYS).astype(np.int64)
    return days


def _join_days(population: Population, calendar: BusinessCalendar) -> NDArray[np.int64]:
    """Day of the first order, in days since 1970; for customers without one the end of all joining."""
    import numpy as np

    joining = BusinessCalendar(calendar.months[0] + np.arange(JOINING_MONTHS))
    starts: NDArray[np.int64] = joining.starts // SECONDS_PER_DAY
    months = np.floor(np.minimum(population.joined, JOINING_MONTHS)).astype(np.int64)
    days: NDArray[np.int64] = np.where(
        months < 0, starts[0] + np.floor(population.joined * 365.25 / 12), starts[-1]
    ).astype(np.int64)
    for month in range(JOINING_MONTHS):
        rows = np.flatnonzero(months == month)
        days[rows] = starts[month] + spread_over_days(population.joined[rows] - month, joining.day_edges(month))
    return days
