"""What is to be observed: programs, sources, configurations, units, the schedule and allocated time."""
