"""`segmentation models` on a shop whose months are made."""

from __future__ import annotations

import json


def test_models_are_listed_shown_compared_and_kept_where_they_are_used(settings_file, segmentation):
    listed = segmentation("models", "list")
    champion = next(line for line in listed.out.splitlines() if line.startswith("champion@"))
    assert champion.endswith("3 results  champion")
    plain = json.loads(segmentation("models", "list", "--json").out)
    assert {"champion", "kmeans"} <= {entry["model"].split("@")[0] for entry in plain}

    shown = json.loads(segmentation("models", "show", "champion").out)
    assert shown["description"]["month"] == "2025-06"
    assert shown["state"]["algorithm"]

    kmeans = [entry["model"] for entry in plain if entry["model"].startswith("kmeans@")]
    assert len(kmeans) > 1
    compared = segmentation("models", "compare", *kmeans[:2])
    assert compared.out.splitlines()[0].split() == kmeans[:2]
    assert any(line.startswith("description.month ") for line in compared.out.splitlines())
    assert compared.out.splitlines()[-1].endswith("alike.")

    refused = segmentation("models", "archive", "champion")
    assert (refused.code, "is in use: the alias champion, gold/champion of 2025-06" in refused.err) == (1, True)


def test_without_a_model_the_list_says_so(write_settings, monkeypatch, tmp_path, finished_shop, segmentation):
    monkeypatch.chdir(tmp_path)
    write_settings(finished_shop.settings(data_dir=str(tmp_path / "empty")))
    assert segmentation("models", "list").out == "no model is stored; 'segmentation run' fits them.\n"
