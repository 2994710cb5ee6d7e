"""Pages beside the lists: the dashboard, where a row's copies are, why work waits, nights, the sky and others."""
