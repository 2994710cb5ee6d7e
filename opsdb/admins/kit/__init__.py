"""What the kit in ``opsdb/admins/base.py`` is made of, one idea per module."""
