"""What operators do to rows: the actions of each area, declared; the area's admins name them."""
