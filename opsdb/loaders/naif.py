"""Bodies of the solar system that telescopes know by name."""

# NAIF numbers of the bodies that submillimetre telescopes calibrate on: NAIF Integer ID codes,
# naif.jpl.nasa.gov/pub/naif/toolkit_docs/C/req/naif_ids.html
NAIF_IDS = {
    "sun": 10,
    "mercury": 199,
    "venus": 299,
    "moon": 301,
    "mars": 499,
    "jupiter": 599,
    "ganymede": 503,
    "callisto": 504,
    "saturn": 699,
    "titan": 606,
    "uranus": 799,
    "neptune": 899,
    "ceres": 2000001,
    "pallas": 2000002,
    "vesta": 2000004,
}
