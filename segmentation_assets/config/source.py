"""The settings of the source: where deliveries lie and how their columns map to ours."""

from collections.abc import Collection
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Literal, TypeVar
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, SecretStr, model_validator

from segmentation_assets.config.section import Section

_ORDER_LINE_COLUMNS = ("order_id", "order_at", "customer_id", "product_id", "quantity", "unit_price")
_ORDER_LINE_EXTRAS = (
    "product_name", "country", "channel", "store_id", "brand", "list_price", "cost_price", "currency",
    "vat_rate",
)  # fmt: skip
_CUSTOMER_COLUMNS = ("customer_id",)
_CUSTOMER_EXTRAS = (
    "registered_on", "birth_year", "country", "gender", "household_size", "acquisition_channel", "newsletter_since",
    "account_type",
)  # fmt: skip
_PRODUCT_COLUMNS = ("product_id", "department")
_PRODUCT_EXTRAS = ("class", "product_name", "child_age", "size")
_EVENT_COLUMNS = ("customer_id", "event_at")
_EVENT_EXTRAS = ("event_type",)

DELIVERED_COLUMNS = {
    "order_lines": (_ORDER_LINE_COLUMNS, _ORDER_LINE_EXTRAS),
    "customers": (_CUSTOMER_COLUMNS, _CUSTOMER_EXTRAS),
    "products": (_PRODUCT_COLUMNS, _PRODUCT_EXTRAS),
    "engagement_events": (_EVENT_COLUMNS, _EVENT_EXTRAS),
}
"""Delivered table → the columns it must map, and those it may map."""

NOT_FOUND = "???"
"""What `segmentation init` writes where it found nothing to propose."""


class AdvisedError(ValueError):
    """A setting cannot be used, and `hint` says what to do."""

    def __init__(self, problem: str, hint: str) -> None:
        self.hint = hint
        super().__init__(problem)


class WantedError(ValueError):
    """A setting is none of what is `wanted`, as in 'must be a number'."""

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted
        super().__init__(f"must be {wanted}")


class UnmappedColumnError(AdvisedError):
    """A setting needs a column that the mapping of a delivered table does not name.

    Parameters
    ----------
    problem : str
        Which setting needs which column of which table.
    columns : collection of str or None
        Our names of the columns that the mapping names; None where there is no mapping of the table.
    """

    def __init__(self, problem: str, columns: Collection[str] | None) -> None:
        listed = f"mapped are {', '.join(columns)}." if columns else "the source has no such table; add it first."
        super().__init__(problem, listed)


def _check_relative(pattern: str) -> str:
    """Accept only patterns that stay inside the delivery folder."""
    _check_found(pattern)
    if not pattern.strip():
        raise ValueError("a file pattern is empty")
    if pattern.startswith(("/", "~")) or ".." in pattern.split("/"):
        raise ValueError(f"'{pattern}' leaves the delivery folder; write a pattern relative to source.folder")
    return pattern


def _check_found(text: str) -> str:
    """Refuse what still has to be filled in."""
    if text == NOT_FOUND:
        raise ValueError(f"{NOT_FOUND} stands where segmentation init found nothing; write what the file has")
    return text


def _check_separator(separator: str) -> str:
    """Refuse what has a meaning of its own in CSV."""
    if separator in ('"', "\n", "\r"):
        raise ValueError("a quote or a line break cannot separate fields")
    return separator


@cache
def _known_time_zones() -> frozenset[str]:
    """Names of IANA zones; `localtime` is whatever the machine is set to."""
    return frozenset(available_timezones() - {"localtime"})


def _check_time_zone(name: str) -> str:
    """Accept names of IANA zones."""
    if name not in _known_time_zones():
        matches = get_close_matches(name, sorted(_known_time_zones()), n=1, cutoff=0.75)
        advice = f"the closest is '{matches[0]}'" if matches else "write for example Europe/London"
        raise ValueError(f"'{name}' is not a time zone; {advice}")
    return name


_FoundName = Annotated[str, AfterValidator(_check_found)]

ColumnNames = dict[str, _FoundName | Annotated[tuple[_FoundName, ...], Field(min_length=1)]]
"""Our column name and the name in the file; several where deliveries differ, and each file has one of them."""


class DeliveredTable(Section):
    """How the files of one delivered table are read; nothing is guessed."""

    files: tuple[Annotated[str, AfterValidator(_check_relative)], ...] = Field(
        (), description="file patterns below source.folder, those of later files last, for example orders-*.csv"
    )
    columns: ColumnNames = Field(
        description="our column name: name in the file, or a list of names of which each file has exactly one"
    )
    encoding: str = Field("utf-8", description="encoding of CSV and other text files, for example utf-8 or cp1252")
    separator: Annotated[str, AfterValidator(_check_separator)] = Field(
        ",",
        min_length=1,
        max_length=1,
        description='field separator of CSV and other text files, also of .tsv; a tab is written "\\t"',
    )
    decimal: Literal[".", ","] = Field(".", description="decimal mark of numbers in CSV files")
    date_format: Annotated[str, AfterValidator(_check_found)] = Field(
        "%Y-%m-%d %H:%M:%S", min_length=2, description="the one format of dates written as text (strptime)"
    )
    null_values: tuple[str, ...] = Field(("",), description="texts that mean 'no value'")
    may_lack: tuple[str, ...] = Field(
        (),
        description="our names of mapped columns that some files do not have, for example country; in their rows the "
        "column is empty, and segmentation status counts the files. Only columns that not every row needs",
    )
    sheets: Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(
        None, description="sheets to read of each workbook; all when absent"
    )
    table: str | None = Field(
        None,
        min_length=1,
        description="table to read of each database file, as schema.table in DuckDB where it is not in main; "
        "or table or view on the Postgres server, as schema.table where it is not in public",
    )

    def names_of(self, column: str) -> tuple[str, ...]:
        """Names that one of our columns may have in a file."""
        names = self.columns[column]
        return (names,) if isinstance(names, str) else names


_Delivered = TypeVar("_Delivered", bound=DeliveredTable)


def _described(required: tuple[str, ...], optional: tuple[str, ...]) -> str:
    return f"{', '.join(required)}; where known {', '.join(optional)}"


class OrderLinesTable(DeliveredTable):
    """Order lines: what was sold or came back, to whom, when and for how much."""

    columns: ColumnNames = Field(description=_described(_ORDER_LINE_COLUMNS, _ORDER_LINE_EXTRAS))
    order_id_sources: dict[Annotated[str, Field(min_length=1)], Annotated[str, AfterValidator(_check_relative)]] = (
        Field(
            {},
            description="where order ids are unique within a source only: name of the source: pattern of its delivered "
            "files, as in the crosswalk, for example store1: 'orders-store1-*'. Each file belongs to one source; order "
            "0001 of it is then 0001@store1",
        )
    )
    order_id_within: Literal["store_id", "channel", "brand", "country"] | None = Field(
        None,
        description="column that order ids are unique in, where they restart: order 0001 of store S1 is then 0001@S1",
    )

    @model_validator(mode="after")
    def _check_columns(self) -> "OrderLinesTable":
        if self.order_id_within is not None and self.order_id_within not in self.columns:
            raise UnmappedColumnError(
                f"order_id_within is {self.order_id_within}, which columns does not map", self.columns
            )
        return _require(self, _ORDER_LINE_COLUMNS, _ORDER_LINE_EXTRAS, may_be_empty=("customer_id",))


class CustomersTable(DeliveredTable):
    """Customers: who they are."""

    columns: ColumnNames = Field(description=_described(_CUSTOMER_COLUMNS, _CUSTOMER_EXTRAS))

    @model_validator(mode="after")
    def _check_columns(self) -> "CustomersTable":
        return _require(self, _CUSTOMER_COLUMNS, _CUSTOMER_EXTRAS)


class ProductsTable(DeliveredTable):
    """Products: the department of each, and more where known."""

    columns: ColumnNames = Field(description=_described(_PRODUCT_COLUMNS, _PRODUCT_EXTRAS))

    @model_validator(mode="after")
    def _check_columns(self) -> "ProductsTable":
        return _require(self, _PRODUCT_COLUMNS, _PRODUCT_EXTRAS)


class EngagementEventsTable(DeliveredTable):
    """Engagement events: visits, opened e-mails and the like."""

    columns: ColumnNames = Field(description=_described(_EVENT_COLUMNS, _EVENT_EXTRAS))

    @model_validator(mode="after")
    def _check_columns(self) -> "EngagementEventsTable":
        return _require(self, _EVENT_COLUMNS, _EVENT_EXTRAS)


def _require(
    table: _Delivered, required: tuple[str, ...], optional: tuple[str, ...], may_be_empty: tuple[str, ...] = ()
) -> _Delivered:
    """Check that all required columns are mapped, no unknown one is, and files lack none that every row needs."""
    missing = sorted(set(required) - set(table.columns))
    if missing:
        raise ValueError(f"columns must also map {', '.join(missing)}")
    unknown = sorted(set(table.columns) - set(required) - set(optional))
    if unknown:
        raise ValueError(f"columns maps {', '.join(unknown)}; known are {', '.join(required + optional)}")
    unmapped = sorted(set(table.may_lack) - set(table.columns))
    if unmapped:
        raise UnmappedColumnError(f"may_lack names {', '.join(unmapped)}, which columns does not map", table.columns)
    needed = sorted(set(table.may_lack) - set(optional) - set(may_be_empty))
    if needed:
        others = [name for name in table.columns if name in optional + may_be_empty]
        raise AdvisedError(
            f"may_lack names {', '.join(needed)}, which every row needs",
            f"every file must have it; mapped columns that files may lack are {', '.join(others) or 'none'}.",
        )
    return table


class CancellationSettings(Section):
    """How the source writes returned or cancelled goods."""

    rule: Literal["negative_quantity", "prefix"] = Field(
        "negative_quantity",
        description="negative_quantity: every line with quantity < 0 is a return; "
        "prefix: only lines whose order_id starts with the prefix are",
    )
    prefix: str = Field("C", min_length=1, description="start of order_id under the rule 'prefix', in any case")


class PostgresSettings(Section):
    """The Postgres server that tables are copied from."""

    connection: SecretStr | None = Field(
        None,
        description="connection as postgresql://user@host/database or host=… dbname=… user=…; a secret, best given in "
        "SEGMENTATION__SOURCE__POSTGRES__CONNECTION; a password may also stand in PGPASSWORD or ~/.pgpass",
    )
    interval_minutes: int = Field(
        60,
        ge=1,
        le=44_640,
        description="how often schedules and sensors read the server; segmentation run always does, and status never",
    )


class SourceSettings(Section):
    """Where order lines come from."""

    kind: Literal["synthetic", "files", "postgres"] = Field(
        "synthetic", description="the built-in shop, own files, or tables of a Postgres server"
    )
    postgres: PostgresSettings = PostgresSettings()
    folder: str | None = Field(None, description="delivery folder; <data_dir>/deliveries when absent")
    time_zone: Annotated[str, AfterValidator(_check_time_zone)] = Field(
        "UTC", description="IANA zone of the shop; timestamps that carry a zone are turned into its local time"
    )
    order_lines: OrderLinesTable | None = Field(None, description="mapping of the order lines; needed for files")
    customers: CustomersTable | None = Field(None, description="mapping of the customers, optional")
    products: ProductsTable | None = Field(None, description="mapping of the products, optional")
    engagement_events: EngagementEventsTable | None = Field(None, description="mapping of the events, optional")
    cancellations: CancellationSettings = CancellationSettings()
    adjustment_prefixes: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        (), description="starts of order_id that mark book-keeping entries, in any case"
    )
    non_product_codes: tuple[str, ...] = Field((), description="product codes that are fees, postage or tests")
    redelivery: Literal["replace", "ignore", "refuse"] = Field(
        "replace",
        description="when a later file holds an order, customer or product that an earlier one held: take the later "
        "file's rows, keep the earlier file's, or stop; the rows that do not hold go to the quarantine. Events in two "
        "files count once, or stop the run. Files follow each other by the pattern of files that first matches them, "
        "then by name, numbers as numbers: orders-9 before orders-10",
    )
    duplicate_lines: Literal["keep", "leave_out"] = Field(
        "keep",
        description="when a line of an order equals an earlier one in every mapped column: keep counts both, as a "
        "repeat cannot be told from an error without a line number; leave_out makes the later one an adjustment",
    )
    product_code_case: Literal["as_delivered", "upper"] = Field(
        "as_delivered",
        description="whether product codes are put in capitals while they are read, in lines and products alike, so "
        "that 85123a and 85123A are one product; monitoring/data_quality tells as code_spelling whether there are such",
    )
    max_quarantine_share: float = Field(
        0.01, ge=0, le=1, description="share of delivered rows that may be set aside; above it the run stops"
    )
    withdrawn: tuple[str, ...] = Field(
        (),
        description="patterns of delivered files, below the folder, that are meant to be gone or to have fewer rows "
        "than at an earlier delivery; nothing is told of them",
    )

    @model_validator(mode="after")
    def _check_mapping(self) -> "SourceSettings":
        needed = "table" if self.kind == "postgres" else "files"
        if self.order_lines is None and self.kind != "synthetic":
            raise ValueError(f"kind '{self.kind}' needs order_lines with its {needed} and columns")
        for name in DELIVERED_COLUMNS:
            mapping = getattr(self, name)
            if mapping is not None and not getattr(mapping, needed):
                raise ValueError(f"{name}.{needed} is missing; set it, as kind is '{self.kind}'")
            if mapping is not None and self.kind == "postgres" and mapping.files:
                raise ValueError(f"kind 'postgres' reads tables, and {name}.files names files; leave them out")
        return self
