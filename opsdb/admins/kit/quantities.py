"""Sizes and durations as text."""

SIZES = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")


def format_size(volume_bytes: float) -> str:
    """Return a number of bytes in decimal units, with three digits."""
    value, units = float(volume_bytes), [*SIZES]
    while abs(value) >= 999.5 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.0f} {units[0]}" if abs(value) >= 99.95 else f"{value:.3g} {units[0]}"


def format_seconds(seconds: float) -> str:
    """Return a number of seconds in the units of a clock."""
    if seconds < 1:
        return f"{seconds:g} s"
    whole = round(seconds)
    parts = [(whole // 86400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "min"), (whole % 60, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number)
