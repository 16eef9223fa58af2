"""Frames in, files out: the dashboard, the workbook, the customer file and the business report."""
