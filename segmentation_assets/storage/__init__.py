"""Where tables, models and the warehouse lie, and the engine that computes on them."""
