"""How rows may change: one module per stage. What matters for safety is kept by the database as well."""
