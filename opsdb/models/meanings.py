"""What every enumeration is for, and what each of its values means: for the schema reference and the admin."""

from __future__ import annotations

from enum import StrEnum

from django.db.models import Field

from . import enums

# Of every enumeration what it is for, and of every value its meaning, in the order of the values.
MEANINGS: dict[type[StrEnum], tuple[str, tuple[str, ...]]] = {
    enums.LocationType: (
        "What a location is for.",
        (
            "Instruments write raw data files here.",
            "Packages stay here for a while: they are made, sent, received and unpacked.",
            "Packages are kept here for good: no copy in it is ever deleted.",
            "Pipelines read staged data here, and write their products.",
        ),
    ),
    enums.StorageType: (
        "How a location stores data; each kind has a table of its own.",
        ("A file system: `disk_data_location`.", "An S3 bucket: `s3_data_location`.", "Tape: `tape_data_location`."),
    ),
    enums.RouteType: (
        "How a route leads from one site to another.",
        (
            "From a site to another, in one transfer.",
            "By a third site, in two transfers, of which the second waits for the first.",
            "From one location to another, in one transfer. It is preferred to the other two.",
        ),
    ),
    enums.Status: (
        "State of a piece of work that workers claim.",
        (
            "It waits for a worker.",
            "It was handed to a queue, and waits for a worker there.",
            "A worker has claimed it.",
            "It is done, and its result is recorded.",
            "Its retries are used up: a person has to reset it.",
        ),
    ),
    enums.PackageState: (
        "How far a package is on its way into the long-term archive.",
        (
            "It is being made, or waits for its transfer.",
            "A transfer brings it to an archive site.",
            "At least one archive has a safe copy of it.",
            "It could not be made or transferred: a person has to reset that work.",
        ),
    ),
    enums.PhysicalCopyStatus: (
        "Whether the bytes of a copy are at its location, and how far their deletion is.",
        (
            "The bytes are there.",
            "The bytes are there because a staging job needs them.",
            "The bytes are there, and all rules allow their deletion.",
            "The deletion was ordered, and waits for a worker.",
            "A worker deletes the bytes.",
            "The bytes are gone, and the row stays.",
            "The bytes could not be deleted.",
            "The bytes are not where they should be.",
            "The bytes are not what they should be.",
        ),
    ),
    enums.RunStatus: (
        "How far a run of a reduction step is.",
        (
            "It waits for a manager.",
            "Its inputs are brought to the processing location.",
            "A cluster has it in a queue.",
            "Its job runs.",
            "Its job has ended, and its products are registered.",
            "It is done.",
            "It ended with an error: it can be planned again.",
            "A person has stopped it.",
        ),
    ),
    enums.ObservationStatus: (
        "How an observation went.",
        ("The telescope observes.", "It ended as planned.", "A person stopped it.", "An error stopped it."),
    ),
    enums.DeletionRequestStatus: (
        "What was decided about a request to delete copies.",
        (
            "It waits for the decision of a second person.",
            "A second person agreed: a person who may execute requests can carry it out.",
            "It was refused, or withdrawn after its approval.",
            "Its copies are scheduled for deletion.",
        ),
    ),
    enums.TriggerType: (
        "What makes a pipeline start.",
        (
            "New packages, whenever there are some.",
            "The times of a cron expression (UTC).",
            "A person or a program, and nothing else.",
        ),
    ),
    enums.DataProductType: (
        "What a product is.",
        (
            "Calibrated data, maps, cubes or spectra, which can be published.",
            "A number that measures the quality of data.",
            "A picture for people.",
            "A summary in numbers.",
            "The log of a run.",
        ),
    ),
    enums.Quality: (
        "The observer's judgement of the data.",
        ("They have not been assessed.", "They can be used.", "They can be used with care.", "They can't be used."),
    ),
    enums.ProgramKind: (
        "What an observing program is for.",
        ("It answers a scientific question.", "It tests, calibrates or commissions."),
    ),
    enums.TransferKind: (
        "From where a transfer brings data.",
        ("From the observatory to an archive site.", "From one archive site to another."),
    ),
    enums.CoordinateFrame: (
        "The frame of celestial coordinates.",
        (
            "International Celestial Reference System.",
            "Equatorial, of the catalogue FK4 (B1950).",
            "Equatorial, of the catalogue FK5 (J2000).",
            "Galactic longitude and latitude.",
            "Ecliptic longitude and latitude.",
        ),
    ),
    enums.VelocityFrame: (
        "What a radial velocity is measured against.",
        ("The kinematic local standard of rest.", "The barycentre of the solar system.", "The centre of the Sun."),
    ),
    enums.VelocityConvention: (
        "How a radial velocity follows from a shift of frequency.",
        ("c (f0 - f) / f0.", "c (f0 - f) / f.", "A redshift: (f0 - f) / f, without a unit."),
    ),
    enums.ChecksumAlgorithm: (
        "How a checksum was computed.",
        (
            "FIPS 180-4, 64 hexadecimal digits.",
            "FIPS 180-4, 128 hexadecimal digits.",
            "RFC 7693, 128 hexadecimal digits.",
            "RFC 1321, 32 hexadecimal digits. It detects errors, and no forgery.",
            "xxHash, 16 or 32 hexadecimal digits. It detects errors, and no forgery.",
            "RFC 1950, 8 hexadecimal digits. It detects errors, and no forgery.",
            "RFC 3720, 8 hexadecimal digits. It detects errors, and no forgery.",
        ),
    ),
    enums.PublicationStatus: (
        "How far a publication is.",
        (
            "Its authors write it.",
            "A journal has it.",
            "A journal will print it.",
            "Everybody can read it.",
        ),
    ),
    enums.SourceType: (
        "What kind of source is observed; each kind has a table of its own.",
        (
            "It has coordinates on the sky: `fixed_source`.",
            "It moves, and an ephemeris gives its position: `solar_system_object`.",
            "The telescope scans in azimuth at one elevation: `constant_elevation_source`.",
        ),
    ),
    enums.ConfigurationType: (
        "Whose configuration it is; each instrument has a table of its own.",
        ("The heterodyne array receiver CHAI.", "The camera and spectrometer Prime-Cam."),
    ),
    enums.Sideband: (
        "The sideband of a heterodyne receiver that the line is in.",
        ("Below the frequency of the local oscillator.", "Above it.", "Both at once."),
    ),
    enums.Verification: (
        "What the last comparison of a copy's checksum found.",
        (
            "Nothing was compared since the bytes arrived, or they could not be read when they were checked last.",
            "The checksum agreed with the recorded one.",
            "The checksum differed from the recorded one.",
        ),
    ),
    enums.LogLevel: (
        "How important an entry of a log is.",
        (
            "For developers.",
            "What happened as it should.",
            "What a person should look at.",
            "What went wrong.",
        ),
    ),
    enums.VersionPolicy: (
        "Which version of its software a reduction step runs. Numbers compare as numbers (1.10 is above 1.9), and a "
        "pre-release (2.0rc1) is below its release.",
        (
            "The pinned version. A deprecated one is refused, unless an old result is to be reproduced.",
            "The highest version with the pinned one's major number that is not below it and not deprecated.",
            "The highest version that is not deprecated.",
        ),
    ),
    enums.GroupingDimension: (
        "What the packages of a data grouping can be split by: one run for every value (`group_by`).",
        (
            "One run per observing program.",
            "One run per observation unit.",
            "One run per observation.",
            "One run per source.",
            "One run per instrument module.",
            "One run per night, from noon to noon (UTC).",
        ),
    ),
    enums.ChangeLogging: (
        "Which changes of a table the change log keeps.",
        (
            "Every insert, update and delete, with all values.",
            "Every update and delete with all values; of inserts the keys.",
            "None.",
        ),
    ),
    enums.WorkStage: (
        "A kind of work whose amount the database notes by day.",
        (
            "Raw files are packed into packages.",
            "Packages are packed into bundles for a transfer.",
            "Bundles are carried from one location to another.",
            "Packages are taken out of bundles that have arrived.",
            "Packages are written into a long-term archive.",
            "Data are brought to where they are processed.",
            "Runs of reduction steps.",
        ),
    ),
    enums.ChangeOperation: (
        "What was done to a row.",
        (
            "The row was inserted.",
            "The row was changed.",
            "The row was deleted.",
            "Up to 1,000 rows of a large table were inserted by one statement.",
        ),
    ),
}


def purpose_of(enumeration: type[StrEnum]) -> str:
    """Return what an enumeration is for, in a sentence or two."""
    return MEANINGS[enumeration][0]


def enumeration_of(field: Field) -> type[StrEnum] | None:
    """Return the enumeration whose values a field takes, or None where the meanings of its choices are not written."""
    choices = list(field.choices or ())
    return next((one for one in MEANINGS if choices and getattr(one, "choices", None) == choices), None)


def meanings_of(enumeration: type[StrEnum]) -> dict[str, str]:
    """Return what each value of an enumeration means, in their order."""
    return dict(zip([member.value for member in enumeration], MEANINGS[enumeration][1], strict=True))
