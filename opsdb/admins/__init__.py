"""How operators see it: ``base.py`` is the kit, then one module per area. ``opsdb/admin.py`` registers all of them."""
