"""The app in other places: behind routers and poolers, on replicas, and in schemas of its own."""
