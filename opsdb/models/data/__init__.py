"""The raw data: files, the packages they travel in, and what an archive says of a package."""
