"""The raw data: files, the packages they travel in, and their ObsCore metadata."""
