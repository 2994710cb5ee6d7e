"""How data are reduced: software, groupings, pipelines, their runs, and the products."""
