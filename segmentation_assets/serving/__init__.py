"""Scoring of customers outside of the monthly snapshots, by the stored models."""
