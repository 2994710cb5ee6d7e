"""The reduction of data: software, groupings, pipelines, their runs, and the products."""
