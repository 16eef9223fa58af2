"""Settings: their schema, the packaged profiles and how they are loaded."""
