"""What the admins of all areas share, one idea a module; an admin derives from ``admin.OpsAdmin``."""
