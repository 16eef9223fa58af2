"""Which order lines count: the market, the brand, the kinds of accounts that the settings ask for.

Lines that do not count stay in the table, of the type `excluded`, each with the reason.
"""

from __future__ import annotations

import logging
from difflib import get_close_matches

from segmentation_assets.config.population import PopulationSettings
from segmentation_assets.errors import SettingsError, closest_hint
from segmentation_assets.storage.engine import Connection, quote_identifier, quote_text

_LISTED_AT_MOST = 10
_log = logging.getLogger(__name__)


def exclusion_branches(population: PopulationSettings, accounts: str | None = None) -> list[tuple[str, str]]:
    r"""Make the SQL conditions under which an order line does not count.

    Parameters
    ----------
    population : PopulationSettings
    accounts : str or None
        SQL table expression with the ``customer_id`` of the accounts that do not count, as `excluded_accounts_sql`
        makes it; absent when there is none.

    Returns
    -------
    list of (str, str)
        Condition on the columns of ``raw/order_lines`` and the reason code; the first one that holds counts. A line
        without a value in a filtered column does not count either. With a crosswalk the account that a line was
        delivered with is looked at as well as the customer.

    Examples
    --------
    >>> exclusion_branches(PopulationSettings(countries=("Spain",)))
    [('("country" IS NULL OR "country" NOT IN (\'Spain\'))', 'other_country')]
    """
    branches = [(_outside(column, values), reason) for column, values, reason in _filters(population)]
    if accounts is not None:
        held = " OR ".join(
            f"coalesce({name} IN (SELECT customer_id FROM {accounts}), false)" for name in _id_columns(population)
        )
        branches.append((f"({held})", "excluded_account"))
    return branches


def excluded_accounts_sql(population: PopulationSettings, customers: str | None) -> str | None:
    """Make the query of the accounts that do not count.

    Parameters
    ----------
    population : PopulationSettings
    customers : str or None
        SQL table expression with the columns of ``raw/customers``; absent when the source delivers none.

    Returns
    -------
    str or None
        SQL table expression with the column ``customer_id``, without repeats; None when every account counts.
    """
    parts = []
    if population.exclude_account_types and customers is not None:
        kinds = _listed(sorted({kind.strip().lower() for kind in population.exclude_account_types}))
        parts.append(f"SELECT customer_id FROM {customers} WHERE lower(trim(account_type)) IN ({kinds})")
    if population.exclude_customers:
        ids = ", ".join(f"({quote_text(customer)})" for customer in sorted(set(population.exclude_customers)))
        parts.append(f"SELECT customer_id FROM (VALUES {ids}) AS named(customer_id)")
    return f"({' UNION '.join(parts)})" if parts else None


def check_population(
    connection: Connection, lines: str, customers: str | None, population: PopulationSettings
) -> tuple[str, ...]:
    """Refuse values to keep or to leave out that do not occur, and tell of customers to leave out without a line.

    Parameters
    ----------
    connection : Connection
    lines : str
        SQL table expression with the columns of ``raw/order_lines``, of all months; with a crosswalk also the column
        ``delivered_customer_id``.
    customers : str or None
        SQL table expression with the columns of ``raw/customers``; absent when the source delivers none.
    population : PopulationSettings

    Returns
    -------
    tuple of str
        Customers to leave out that no order line has, sorted; their lines may be yet to come.

    Raises
    ------
    SettingsError
        Names the setting and the value, and what there is.
    """
    require_known_values(connection, lines, population)
    if customers is not None:
        _require_known_account_types(connection, customers, population)
    absent = _absent_customers(connection, lines, population)
    if absent:
        listed = ", ".join(absent[:_LISTED_AT_MOST]) + (", …" if len(absent) > _LISTED_AT_MOST else "")
        _log.warning("population.exclude_customers: no order line is of %s", listed)
    return absent


def require_known_values(connection: Connection, lines: str, population: PopulationSettings) -> None:
    """Refuse values to keep that no order line has: a misspelt country would leave everything else out.

    Parameters
    ----------
    connection : Connection
    lines : str
        SQL table expression with the columns of ``raw/order_lines``, of all months.
    population : PopulationSettings

    Raises
    ------
    SettingsError
        Names the setting and the value, and what the lines have.
    """
    for column, values, _ in _filters(population):
        found = connection.execute(
            f"SELECT DISTINCT {quote_identifier(column)} FROM {lines} WHERE {quote_identifier(column)} IS NOT NULL "
            "ORDER BY ALL"
        ).fetchall()
        known = [str(value) for (value,) in found]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise SettingsError(
                f"population.{_SETTINGS[column]} names '{unknown[0]}', which no order line has in {column}",
                _advice(unknown[0], known, "lines"),
            )


def _require_known_account_types(connection: Connection, customers: str, population: PopulationSettings) -> None:
    """Refuse account types to leave out that no customer has: a misspelt one would leave everybody in."""
    wanted = {kind.strip().lower(): kind for kind in population.exclude_account_types}
    if not wanted:
        return
    found = connection.execute(
        f"SELECT DISTINCT lower(trim(account_type)) FROM {customers} WHERE account_type IS NOT NULL ORDER BY ALL"
    ).fetchall()
    known = [str(value) for (value,) in found]
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise SettingsError(
            f"population.exclude_account_types names '{wanted[unknown[0]]}', which no customer has in account_type",
            _advice(unknown[0], known, "customers"),
        )


def _absent_customers(connection: Connection, lines: str, population: PopulationSettings) -> tuple[str, ...]:
    named = excluded_accounts_sql(population, None)
    if named is None:
        return ()
    ids = " UNION ALL ".join(f"SELECT {name} AS id FROM {lines}" for name in _id_columns(population))
    found = connection.execute(
        f"SELECT customer_id FROM {named} WHERE customer_id NOT IN (SELECT id FROM ({ids}) WHERE id IS NOT NULL) "
        "ORDER BY ALL"
    ).fetchall()
    return tuple(str(customer) for (customer,) in found)


def _id_columns(population: PopulationSettings) -> tuple[str, ...]:
    """Columns of the lines that name an account: with a crosswalk also the one they were delivered with."""
    return ("customer_id", "delivered_customer_id") if population.crosswalk else ("customer_id",)


def _advice(wanted: str, known: list[str], owners: str) -> str:
    if not known:
        return f"the delivered {owners} have no value in that column at all."
    if len(known) > _LISTED_AT_MOST:
        return closest_hint(wanted, tuple(known))
    closest = get_close_matches(wanted, known, n=1, cutoff=0.6)
    offered = f"; did you mean '{closest[0]}'?" if closest else "."
    return f"the {owners} have {', '.join(known)}{offered}"


_SETTINGS = {"country": "countries", "channel": "channels", "brand": "brands", "store_id": "stores"}
"""Column of the order lines → setting that says which of its values count."""

_REASONS = {"country": "other_country", "channel": "other_channel", "brand": "other_brand", "store_id": "other_store"}


def _filters(population: PopulationSettings) -> list[tuple[str, tuple[str, ...], str]]:
    """List column, values that count and reason code of the filters that are set."""
    found = [(column, getattr(population, name), _REASONS[column]) for column, name in _SETTINGS.items()]
    return [each for each in found if each[1]]


def _outside(column: str, values: tuple[str, ...]) -> str:
    name = quote_identifier(column)
    return f"({name} IS NULL OR {name} NOT IN ({_listed(values)}))"


def _listed(values: tuple[str, ...] | list[str]) -> str:
    return ", ".join(quote_text(value) for value in values)
