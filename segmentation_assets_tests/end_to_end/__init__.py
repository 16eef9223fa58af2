"""Tests that start the commands a user types."""
