"""Pages that answer: how things stand, where something is, why it is there, what a night or the sky looks like."""
