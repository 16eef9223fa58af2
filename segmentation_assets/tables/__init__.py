"""Declared schemas of the stored tables."""
