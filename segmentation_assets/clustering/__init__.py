"""Clustering algorithms, their registry, and how candidates are scored and compared."""
