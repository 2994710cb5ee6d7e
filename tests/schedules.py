"""Schedules to load in tests: the samples of the package, and small ones made to be right or wrong."""

from pathlib import Path

SAMPLES = Path(__file__).resolve().parent.parent / "opsdb" / "reference" / "samples"
TIMELINE = SAMPLES / "fyst_timeline_2026-06-15.ecsv"
TEXT_SCHEDULE = SAMPLES / "toast_schedule_2026-06-16.txt"

SCIENCE = {
    "start_time": '"2026-07-01 00:00:00.000"',
    "stop_time": '"2026-07-01 00:30:00.000"',
    "boresight_angle": "-196.6",
    "name": "Deep56",
    "azmin": "120.5",
    "azmax": "180.5",
    "el": "50.0",
    "scan_index": "0",
    "subscan_index": "0",
    "block_type": "science",
    "scan_type": "constant_el",
    "rising": "True",
    "ra_center": "24.0",
    "dec_center": "-32.0",
    "width": "40.0",
    "height": "10.0",
    "velocity": "1.0",
    "scan_params_json": "{}",
    "block_meta_json": "{}",
}
NOWHERE = dict.fromkeys(("ra_center", "dec_center", "width", "height", "velocity"), "0.0")


def science(**cells):
    """A science block: Deep56 for half an hour from midnight, unless the cells say otherwise."""
    return {**SCIENCE, **cells}


def at(hour, **cells):
    """A science block of half an hour that starts at an hour of the day."""
    times = {"start_time": f'"2026-07-01 {hour:02}:00:00"', "stop_time": f'"2026-07-01 {hour:02}:30:00"'}
    return science(**{**times, **cells})


def calibration(kind, target=None, **cells):
    """A calibration block with the placeholder 0/0 for its position."""
    quoted = "null" if target is None else f'""{target}""'
    meta = f'"{{""cal_type"": ""{kind}"", ""target"": {quoted}}}"'
    return science(
        **{"name": kind, "block_type": "calibration", "scan_type": kind, **NOWHERE, "block_meta_json": meta, **cells}
    )


def slew(**cells):
    """A slew as the planner writes it: azimuths from and to, an elevation below the horizon."""
    values = {"name": "slew_to_Deep56", "block_type": "slew", "scan_type": "slew", "azmax": "90.0", "el": "-30.3"}
    return science(**{**values, **NOWHERE, **cells})


def timeline(
    *rows, meta=("telescope_name: FYST", "site_lat: -22.985639", "site_lon: -67.740278"), columns=None, separator=" "
):
    """The text of an ECSV timeline with these rows."""
    columns = columns or list(SCIENCE)
    texts = {"name", "start_time", "stop_time", "block_type", "scan_type", "scan_params_json", "block_meta_json"}
    declared = ", ".join(f"{{name: {name}, datatype: {_datatype(name, texts)}}}" for name in columns)
    head = ["# %ECSV 1.0", "# ---", f"# datatype: [{declared}]", "# meta: !!omap"]
    head += [*(f"# - {{{fact}}}" for fact in meta), f"# delimiter: '{separator}'", "# schema: astropy-2.0"]
    rows = [columns, *([row[name] for name in columns] for row in rows)]
    return "\n".join([*head, *map(separator.join, rows)]) + "\n"


def line_of(text, row):
    """The line in a timeline's text of its n-th row, counted from 0."""
    return next(number for number, line in enumerate(text.split("\n"), 1) if line.startswith("start_time")) + row + 1


def _datatype(name, texts):
    if name in texts:
        return "string"
    if name == "rising":
        return "bool"
    return "int64" if name.endswith("index") else "float64"
