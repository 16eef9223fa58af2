"""Tests of pure code: no Dagster, no network, fast."""
