"""The copies of files, packages and products, their fixity checks, and requests for their deletion."""
