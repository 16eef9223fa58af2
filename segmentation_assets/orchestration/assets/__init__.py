"""Bodies of the assets, one file per layer; each takes inputs, calls a pure function and attaches metadata."""
