"""`segmentation dictionary`: what every feature of the settings means, as Markdown."""

from __future__ import annotations

import argparse
import shlex

from segmentation_assets.cli.opening import load_from_arguments
from segmentation_assets.graph.sources import optional_inputs
from segmentation_assets.reporting.dictionary_page import render_dictionary
from segmentation_assets.storage.text_files import write_text_whole


def dictionary(parsed: argparse.Namespace) -> int:
    """Print the data dictionary, or write it to the file named."""
    settings = load_from_arguments(parsed).settings
    text = render_dictionary(settings.features, optional_inputs(settings), _command(parsed))
    if parsed.output is None:
        print(text, end="")
    else:
        write_text_whole(parsed.output, text)
    return 0


def _command(parsed: argparse.Namespace) -> str:
    """Write the command that was given, as far as the text depends on it, and where it was to be written."""
    named = {"--profile": parsed.profile, "--config": parsed.config, "--env": parsed.env, "--output": parsed.output}
    options = (part for name, value in named.items() if value is not None for part in (name, str(value)))
    return shlex.join(["segmentation", "dictionary", *options])
