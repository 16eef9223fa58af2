"""Feature blocks, one file each: the SQL and the declaration of every column it yields."""
