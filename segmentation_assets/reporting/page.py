"""How content becomes one HTML file that works offline.

A page asks nothing from the network, and its content security policy forbids it: scripts run only if their hash is
listed, so markup that came in with the data could not run even if it were not escaped.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from segmentation_assets.reporting.figures import Figure, embed_json
from segmentation_assets.reporting.formatting import strip_control

CHARTS, TABLES = "dashboard.js", "tables.js"
"""What makes charts of the figures, and what makes tables be sorted and searched."""


def render_page(
    template: str, figures: dict[str, Figure], behaviours: tuple[str, ...] = (CHARTS,), **content: Any
) -> str:
    """Render a page with the style, the behaviour and the charts that all pages share.

    Parameters
    ----------
    template : str
        File name in ``templates``.
    figures : dict of str to Figure
        Charts by the id of their element.
    behaviours : tuple of str
        Scripts in ``templates``; only `CHARTS` needs plotly.
    **content
        What else the template names.

    Returns
    -------
    str
        A complete HTML document, of about 5 MB with plotly. The same input gives the same text.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("segmentation_assets.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: strip_control(value) if type(value) is str else value,
    )
    scripts = [_plotly()] if CHARTS in behaviours else []
    scripts += [_read_template(environment, name) for name in behaviours]
    return environment.get_template(template).render(
        **content,
        policy=_content_policy(*scripts),
        style=_read_template(environment, "dashboard.css"),
        scripts=scripts,
        figures=embed_json(figures),
    )


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    text: str = get_plotlyjs()
    return text.replace("\r", "")


def _read_template(environment: Any, name: str) -> str:
    """Return the text of a template that holds no template language."""
    text: str = environment.loader.get_source(environment, name)[0]
    return text.replace("\r", "")


def _content_policy(*scripts: str) -> str:
    """Return a content security policy that runs the scripts given and asks nothing from the network."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
