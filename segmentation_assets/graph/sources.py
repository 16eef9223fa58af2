"""The unpartitioned assets from the delivery to classified order lines, stored in month slices."""

from segmentation_assets.config.catalogue import CATALOGUE_FILE
from segmentation_assets.config.population import PopulationSettings
from segmentation_assets.config.settings import Settings
from segmentation_assets.config.source import DELIVERED_COLUMNS
from segmentation_assets.graph.node import Input, Node
from segmentation_assets.ingestion.decisions import ERASURES
from segmentation_assets.ingestion.delivery import kind_of
from segmentation_assets.ingestion.mapping import MADE_BY, effective_source
from segmentation_assets.storage.store import WHOLE

_ONE_PER_ID = (
    "Of several files the later one counts, or as `source.redelivery` says, and within a file the first row; the "
    "others are in `raw/quarantine`."
)

_RAW_DESCRIPTIONS = {
    "order_lines": "Delivered order lines, typed, with ids as text and the file and row each came from. Stored in "
    "one folder per month. An order that stands in several files is here once; `source.redelivery` says "
    "from which. Its other lines, and rows that cannot be typed, are not here but in `raw/quarantine`. What a later "
    "file repeats unchanged keeps the file and row of its first delivery.",
    "customers": f"Delivered customers, one row per customer id. {_ONE_PER_ID}",
    "products": f"Delivered products with department and class, one row per product code. {_ONE_PER_ID}",
    "engagement_events": "Delivered engagement events such as visits and opened e-mails, in one folder per month. Of "
    "equal events as many are here as the file with most of them has; the others are in `raw/quarantine`.",
}

_RAW_RULES = ("source.redelivery", "source.max_quarantine_share")

LOST_ROWS = "lost_rows"
"""Entry of a raw table's metadata: files of which rows are lost, with their rows before and now."""


def source_nodes(settings: Settings) -> tuple[Node, ...]:
    """List the assets of the source, raw and first silver layer that the settings call for."""
    tables = delivered_tables(settings)
    raw = tuple(_raw_node(table, has_rules=bool(settings.contract.of(table))) for table in tables)
    made = (*_synthetic_nodes(settings), *_postgres_nodes(settings, tables))
    delivered = (_delivery_node(settings), _decisions_node(), *_crosswalk_nodes(settings))
    return (*made, *delivered, *raw, _quarantine_node(tables), _order_lines_node(settings))


def delivered_tables(settings: Settings) -> tuple[str, ...]:
    """Names of the delivered tables that the source maps."""
    source = effective_source(settings)
    optional = ("customers", "products", "engagement_events")
    return ("order_lines", *(name for name in optional if getattr(source, name) is not None))


def workbook_tables(settings: Settings) -> tuple[str, ...]:
    """Names of the delivered tables whose files may be workbooks."""
    source = effective_source(settings)
    patterns = {name: getattr(source, name).files for name in delivered_tables(settings)}
    return tuple(name for name, files in patterns.items() if any(kind_of(file) in ("workbook", None) for file in files))


def optional_inputs(settings: Settings) -> tuple[str, ...]:
    """Names of optional tables and columns that the source maps, such as ``customers`` and ``order_lines.channel``."""
    source = effective_source(settings)
    columns = {name: getattr(source, name).columns for name in delivered_tables(settings)}
    mapped = (
        f"{table}.{column}"
        for table, (_, extras) in DELIVERED_COLUMNS.items()
        for column in extras
        if column in columns.get(table, ())
    )
    return (*delivered_tables(settings)[1:], *mapped)


def delivered_facts(settings: Settings) -> tuple[str, ...]:
    """Tell which optional inputs there are, as facts that a result depends on."""
    return tuple(f"has {name}" for name in optional_inputs(settings))


def _synthetic_nodes(settings: Settings) -> tuple[Node, ...]:
    if settings.source.kind != "synthetic":
        return ()
    return (
        Node(
            key="source/synthetic_retail",
            description="The files of the built-in shop, as a source system would deliver them: for every month its "
            "new customers and products, its order lines and engagement events. Customers who register after the last "
            "month are not delivered; the metadata count them as `customers_yet_to_register`. The truth lies apart, in "
            "`synthetic/ground_truth`: the archetype of each customer, the hidden state in every month, and what was "
            "planted. It is never an input.",
            is_partitioned=False,
            storage="files",
            settings=("synthetic", "currency"),
            resources=(CATALOGUE_FILE,),
            logic_version="4",
            external="catalogue_file" if settings.synthetic.catalogue else "",
            kinds=("python", "parquet"),
        ),
    )


def _postgres_nodes(settings: Settings, tables: tuple[str, ...]) -> tuple[Node, ...]:
    if settings.source.kind != "postgres":
        return ()
    return (
        Node(
            key=MADE_BY["postgres"],
            description="The mapped columns of the tables on the Postgres server, all as of one moment, kept in "
            "`postgres/delivery` as Parquet files whose rows are sorted by all columns. The server is read by "
            "`segmentation run` and once per `source.postgres.interval_minutes`; tables in which nothing changed give "
            "equal files, and nothing after them is made again.",
            is_partitioned=False,
            storage="files",
            settings=("source.kind", "source.time_zone", *(f"source.{table}" for table in tables)),
            external="postgres",
            kinds=("postgres", "parquet"),
        ),
    )


def _delivery_node(settings: Settings) -> Node:
    maker = MADE_BY.get(settings.source.kind)
    inputs = (Input(key=maker, window="whole"),) if maker else ()
    return Node(
        key="source/delivery",
        description="The delivered files with size and SHA-256: what the raw layer is made from. A file that did not "
        "change keeps its hash, and nothing is read again.",
        inputs=inputs,
        is_partitioned=False,
        storage="sliced",
        external="delivery_folder",
    )


def _decisions_node() -> Node:
    return Node(
        key="source/decisions",
        description="Decisions from outside, in the order they were written into `decisions.csv` in the data folder: a "
        "candidate to put in force (`promote`), a segment's own name (`rename`), a customer not to be addressed "
        "(`suppress`), a customer of whom nothing is kept (`erase`), closed months to make again (`restate`). Each "
        "names the month from which it holds, so that a rebuild sees what the first run saw.",
        is_partitioned=False,
        external="decisions_file",
        kinds=("csv", "parquet"),
    )


def crosswalk_inputs(settings: Settings) -> tuple[Input, ...]:
    """The crosswalk as an input, where there is one."""
    return (Input(key="source/crosswalk", window="whole"),) if settings.population.crosswalk else ()


def _crosswalk_nodes(settings: Settings) -> tuple[Node, ...]:
    if settings.population.crosswalk is None:
        return ()
    return (
        Node(
            key="source/crosswalk",
            description="Which customer a delivered id stands for, from the file `population.crosswalk`: ids of "
            "several sources that are one customer, or one id that is two, by file or from a day on. Raw tables keep "
            "the ids as delivered. Overlapping entries, chains and circles are refused.",
            inputs=(Input(key="source/delivery", window="whole"),),
            is_partitioned=False,
            external="crosswalk_file",
            kinds=("csv", "parquet"),
        ),
    )


def profile_input(name: str) -> Input:
    """Customers or products as an input, without their quarantine."""
    return Input(key=f"raw/{name}", window="slice", slice_name=WHOLE)


def _raw_node(table: str, *, has_rules: bool) -> Node:
    return Node(
        key=f"raw/{table}",
        description=_RAW_DESCRIPTIONS[table],
        logic_version="5",
        inputs=(
            Input(key="source/delivery", window="slice", slice_name=table),
            *(() if table == "products" else (Input(key="source/decisions", window="fact", slice_name=ERASURES),)),
        ),
        is_partitioned=False,
        storage="sliced",
        settings=(
            "source.kind",
            "source.time_zone",
            "source.product_code_case",
            f"source.{table}",
            *_RAW_RULES,
            f"contract.{table}",
        ),
        has_rules=has_rules,
    )


def _quarantine_node(tables: tuple[str, ...]) -> Node:
    return Node(
        key="raw/quarantine",
        description="Delivered rows that were set aside, each with reason, file, row and the offending value. Above "
        "`source.max_quarantine_share`, or the share of a rule in `contract`, the run stops instead. Rows that were "
        "delivered once and are no longer cannot be here; a check tells of them.",
        inputs=(
            *(Input(key=f"raw/{table}", window="slice", slice_name="quarantine") for table in tables),
            *(Input(key=f"raw/{table}", window="fact", slice_name=LOST_ROWS) for table in tables),
        ),
        settings=("source.withdrawn",),
        is_partitioned=False,
        logic_version="2",
    )


def _order_lines_node(settings: Settings) -> Node:
    delivered = delivered_tables(settings)
    is_read = {
        "customers": bool(settings.population.exclude_account_types),
        "products": settings.money.vat.reads_products,
    }
    looked_up = tuple(profile_input(name) for name, is_needed in is_read.items() if is_needed and name in delivered)
    order_lines = effective_source(settings).order_lines
    reads_currency = order_lines is not None and "currency" in order_lines.columns
    return Node(
        key="silver/order_lines",
        description="Order lines classified as sale, return, adjustment, non_product or excluded, each with its "
        "reason, amount, cost and margin. Amounts are in the currency of the settings and net or gross of VAT, as "
        "`money` says, rounded line by line to four decimals; prices stay as delivered. Nothing is dropped: guests, "
        "duplicates, book-keeping entries and what lies outside of the population are marked, not removed. Stored in "
        "one folder per month, so that a changed month leaves the others as they are.",
        inputs=(Input(key="raw/order_lines", window="whole"), *looked_up, *crosswalk_inputs(settings)),
        is_partitioned=False,
        storage="sliced",
        settings=(
            *(
                f"population.{name}"
                for name in PopulationSettings.model_fields
                if name not in ("min_orders", "crosswalk")
            ),
            "source.kind",
            "source.cancellations",
            "source.adjustment_prefixes",
            "source.non_product_codes",
            "source.duplicate_lines",
            "engine.customer_buckets",
            "money.vat",
            "money.exchange.rates",
            *(("currency",) if reads_currency else ()),
        ),
        logic_version="4",
        external="rates_file" if settings.money.exchange.file else "",
    )
