"""How the names of fields are shown to people."""

UNITS = {
    "deg": "deg",
    "arcsec": "arcsec",
    "ghz": "GHz",
    "khz": "kHz",
    "hz": "Hz",
    "mm": "mm",
    "m": "m",
    "bytes": "bytes",
    "seconds": "s",
    "hours": "h",
    "days": "days",
    "percent": "per cent",
    "gb": "GB",
    "deg_s": "deg/s",
    "km_s": "km/s",
    "mas_yr": "mas/yr",
    "mas": "mas",
}
SPELLINGS = {
    "ra": "RA",
    "dec": "Dec",
    "pwv": "PWV",
    "lst": "LST",
    "pm": "proper motion",
    "vlsr": "v(LSR)",
    "lo": "LO",
    "id": "ID",
    "naif": "NAIF",
    "hpc": "HPC",
    "cpu": "CPU",
    "sif": "SIF",
    "url": "URL",
    "doi": "DOI",
    "ip": "IP",
    "fts": "FTS",
    "obs": "observation",
    "executions": "observations",
    "github": "GitHub",
}
# What people call rows that tables call otherwise, also as a field that refers to one.
ROWS = {
    "executed_obs_unit": "observation",
    "raw_data_package": "package",
    "data_transfer_package": "bundle",
    "physical_copy": "copy",
    "data_transfer": "transfer",
    "long_term_archive_transfer": "archive transfer",
    "executed_reduction_step": "run",
    "data_product": "product",
    "raw_data_packages": "packages",
    "data_products": "products",
}


def unit_of(field_name: str) -> str:
    """Return the unit that a field's name ends with (``_deg_s``: deg/s), or an empty text."""
    words = field_name.split("_")
    for count in (2, 1):
        suffix = "_".join(words[-count:])
        if len(words) > count and suffix in UNITS:
            return suffix
    return ""


def spoken(field_name: str) -> str:
    """Return a field's name in words, without its unit (``ra_deg``: RA)."""
    if field_name in ROWS:
        return ROWS[field_name]
    suffix = unit_of(field_name)
    stem = field_name.removesuffix(f"_{suffix}") if suffix else field_name
    return " ".join(SPELLINGS.get(word, word) for word in stem.split("_"))


def label(field_name: str) -> str:
    """Return the label of a field, with its unit (``ra_deg``: RA [deg])."""
    suffix = unit_of(field_name)
    return f"{spoken(field_name)} [{UNITS[suffix]}]" if suffix else spoken(field_name)
