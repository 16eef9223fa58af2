"""Tests that materialise assets in process, into a temporary data folder."""
