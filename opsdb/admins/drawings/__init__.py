"""Pictures as SVG, drawn on the server: pure functions from data to markup, without scripts, styles or other hosts."""
