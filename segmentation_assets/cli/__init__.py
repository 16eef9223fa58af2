"""The `segmentation` command."""
