"""The plans: programs, sources, configurations, units, the schedule and allocated time."""
