"""The built-in synthetic shop: a seeded retailer whose true segments are known, and its delivery."""
