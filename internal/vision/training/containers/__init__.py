"""Container codes: a renderer of painted sides and doors, and the net that names their characters."""
