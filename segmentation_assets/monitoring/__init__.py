"""Records of what ran and how it went."""
