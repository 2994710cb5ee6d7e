"""The operations database of an observatory, as a Django app."""

__version__ = "0.1.0"
