"""The settings of the source: where deliveries lie and how their columns map to ours."""

from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

_ORDER_LINE_COLUMNS = ("order_id", "order_at", "customer_id", "product_id", "quantity", "unit_price")
_CUSTOMER_COLUMNS = ("customer_id",)
_PRODUCT_COLUMNS = ("product_id", "department")
_EVENT_COLUMNS = ("customer_id", "event_at", "event_type")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _check_relative(pattern: str) -> str:
    """Accept only patterns that stay inside the delivery folder."""
    if pattern.startswith(("/", "~")) or ".." in pattern.split("/"):
        raise ValueError(f"'{pattern}' leaves the delivery folder; write a pattern relative to source.folder")
    return pattern


class DeliveredTable(_Section):
    """How the files of one delivered table are read; nothing is guessed."""

    files: tuple[Annotated[str, AfterValidator(_check_relative)], ...] = Field(
        min_length=1, description="file patterns below source.folder, for example orders-*.csv"
    )
    columns: dict[str, str] = Field(description="our column name: name in the file")
    encoding: str = Field("utf-8", description="encoding of CSV files, for example utf-8 or cp1252")
    separator: str = Field(",", min_length=1, max_length=1, description="field separator of CSV files")
    decimal: Literal[".", ","] = Field(".", description="decimal mark of numbers in CSV files")
    date_format: str = Field(
        "%Y-%m-%d %H:%M:%S", min_length=2, description="the one format of dates written as text (strptime)"
    )
    null_values: tuple[str, ...] = Field(("",), description="texts that mean 'no value'")


_Delivered = TypeVar("_Delivered", bound=DeliveredTable)


class OrderLinesTable(DeliveredTable):
    """Order lines: order_id, order_at, customer_id, product_id, quantity, unit_price; product_name and country too."""

    columns: dict[str, str] = Field(description="order_id, order_at, customer_id, product_id, quantity, unit_price")

    @model_validator(mode="after")
    def _check_columns(self) -> "OrderLinesTable":
        return _require(self, _ORDER_LINE_COLUMNS, ("product_name", "country"))


class CustomersTable(DeliveredTable):
    """Customers: customer_id, and registered_on, birth_year, country where known."""

    @model_validator(mode="after")
    def _check_columns(self) -> "CustomersTable":
        return _require(self, _CUSTOMER_COLUMNS, ("registered_on", "birth_year", "country"))


class ProductsTable(DeliveredTable):
    """Products: product_id, department, and class and product_name where known."""

    @model_validator(mode="after")
    def _check_columns(self) -> "ProductsTable":
        return _require(self, _PRODUCT_COLUMNS, ("class", "product_name"))


class EngagementEventsTable(DeliveredTable):
    """Engagement events: customer_id, event_at, event_type."""

    @model_validator(mode="after")
    def _check_columns(self) -> "EngagementEventsTable":
        return _require(self, _EVENT_COLUMNS, ())


def _require(table: _Delivered, required: tuple[str, ...], optional: tuple[str, ...]) -> _Delivered:
    """Check that all required columns are mapped and no unknown one is."""
    missing = sorted(set(required) - set(table.columns))
    if missing:
        raise ValueError(f"columns must also map {', '.join(missing)}")
    unknown = sorted(set(table.columns) - set(required) - set(optional))
    if unknown:
        raise ValueError(f"columns maps {', '.join(unknown)}; known are {', '.join(required + optional)}")
    return table


class CancellationSettings(_Section):
    """How the source writes returned or cancelled goods."""

    rule: Literal["negative_quantity", "prefix"] = Field(
        "negative_quantity",
        description="negative_quantity: every line with quantity < 0 is a return; "
        "prefix: only lines whose order_id starts with the prefix are",
    )
    prefix: str = Field("C", min_length=1, description="start of order_id under the rule 'prefix'")


class SourceSettings(_Section):
    """Where order lines come from."""

    kind: Literal["synthetic", "files"] = Field("synthetic", description="the built-in shop, or own files")
    folder: str | None = Field(None, description="delivery folder; <data_dir>/deliveries when absent")
    time_zone: str = Field(
        "UTC", description="IANA zone of the shop; timestamps that carry a zone are turned into its local time"
    )
    order_lines: OrderLinesTable | None = Field(None, description="mapping of the order lines; needed for files")
    customers: CustomersTable | None = Field(None, description="mapping of the customers, optional")
    products: ProductsTable | None = Field(None, description="mapping of the products, optional")
    engagement_events: EngagementEventsTable | None = Field(None, description="mapping of the events, optional")
    cancellations: CancellationSettings = CancellationSettings()
    adjustment_prefixes: tuple[str, ...] = Field((), description="starts of order_id that mark book-keeping entries")
    non_product_codes: tuple[str, ...] = Field((), description="product codes that are fees, postage or tests")
    redelivery: Literal["replace", "refuse"] = Field(
        "replace",
        description="when a later file holds an order that an earlier one held: take the later file's, or stop",
    )
    max_quarantine_share: float = Field(
        0.01, ge=0, le=1, description="share of delivered rows that may be set aside; above it the run stops"
    )

    @model_validator(mode="after")
    def _check_mapping(self) -> "SourceSettings":
        if self.kind == "files" and self.order_lines is None:
            raise ValueError("kind 'files' needs order_lines with its files and columns")
        return self
