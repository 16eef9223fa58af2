"""The settings of names, descriptions and strategies: own texts in place of the packaged ones."""

from pydantic import Field

from segmentation_assets.config.section import Section


class SegmentTexts(Section):
    """Own texts of one kind of segment; what is left out is the packaged text."""

    name: str | None = Field(None, min_length=1, max_length=60, description="what new segments of the kind are called")
    description: str | None = Field(None, min_length=1, description="who is in it, in one sentence")
    goal: str | None = Field(None, min_length=1, description="what is to be reached with it")
    message: str | None = Field(None, min_length=1, description="what to say to its customers")
    offer: str | None = Field(None, min_length=1, description="what to offer them")
    channel: str | None = Field(None, min_length=1, description="how to reach them")
    cadence: str | None = Field(None, min_length=1, description="how often to turn to them")
    do_not: str | None = Field(None, min_length=1, description="what to avoid")


def _texts(title: str) -> SegmentTexts:
    return Field(SegmentTexts(), description=f"own texts for {title}")


class SegmentCatalogueSettings(Section):
    """Own texts by kind of segment: the eleven of the RFM map, two that a striking habit makes, and everyone."""

    champions: SegmentTexts = _texts("recent, frequent customers of high spend")
    loyal: SegmentTexts = _texts("regular customers")
    potential_loyalist: SegmentTexts = _texts("recent customers with a few orders")
    new_customers: SegmentTexts = _texts("customers of a recent first order")
    promising: SegmentTexts = _texts("recent customers of few, larger orders")
    need_attention: SegmentTexts = _texts("good customers who are slipping")
    about_to_sleep: SegmentTexts = _texts("fading customers")
    at_risk: SegmentTexts = _texts("good customers of long ago")
    cannot_lose_them: SegmentTexts = _texts("the best customers of long ago")
    hibernating: SegmentTexts = _texts("small customers of long ago")
    lost: SegmentTexts = _texts("the last in everything")
    bargain_hunters: SegmentTexts = _texts("customers who buy with a discount")
    serial_returners: SegmentTexts = _texts("customers who send much back")
    everyone: SegmentTexts = _texts("the only segment there is")
