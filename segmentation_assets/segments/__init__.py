"""Segments: the RFM map, the model in force, who belongs to which segment, names and profiles."""
