"""How files become rows: each loader checks a whole file, then writes it in one transaction or not at all."""
