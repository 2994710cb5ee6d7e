"""How many rows the page of an observation shows."""

ROWS_SHOWN = 50
