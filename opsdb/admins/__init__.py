"""How operators see it: ``kit`` is what all admins share, ``pages`` and ``drawings`` answer questions.

Then one module per area. ``opsdb/admin.py`` registers all of them.
"""
