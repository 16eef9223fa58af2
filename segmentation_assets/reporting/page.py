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


def render_page(template: str, figures: dict[str, Figure], **content: Any) -> str:
    """Render a page with the style, the behaviour and the charts that all pages share.

    Parameters
    ----------
    template : str
        File name in ``templates``.
    figures : dict of str to Figure
        Charts by the id of their element.
    **content
        What else the template names.

    Returns
    -------
    str
        A complete HTML document of about 5 MB, most of it plotly. The same input gives the same text.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from plotly.offline import get_plotlyjs

    environment = Environment(
        loader=PackageLoader("segmentation_assets.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: strip_control(value) if type(value) is str else value,
    )
    style, behaviour = (_read_template(environment, name) for name in ("dashboard.css", "dashboard.js"))
    plotly = get_plotlyjs().replace("\r", "")
    return environment.get_template(template).render(
        **content,
        policy=_content_policy(plotly, behaviour),
        style=style,
        behaviour=behaviour,
        plotly=plotly,
        figures=embed_json(figures),
    )


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
