"""A Django project that runs ops-db on its own."""
