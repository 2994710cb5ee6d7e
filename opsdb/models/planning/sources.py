"""What a telescope is pointed at: fixed sources, solar-system objects and fields."""

import math
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.db import connections, models
from django.db.models import ExpressionWrapper, F, Q, Value
from django.db.models.functions import Abs, ASin, Cast, Concat, Cos, Degrees, Greatest, Least, Power, Radians, Sin, Sqrt
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import Check, between, json_list, json_list_of_text, ordered
from opsdb.database.functions import spelled_texts
from opsdb.database.indexes import FOLDED, Index, spelled
from opsdb.database.triggers import HasSubtype

from ..astronomy import SPEED_OF_LIGHT_KM_S, body_coordinates, field_coordinates, fixed_coordinates, given_coordinates
from ..base import NumberedModel, OpsQuerySet, SpecificQuerySet, SubtypedModel, parent_link
from ..enums import CoordinateFrame, SourceType, VelocityConvention, VelocityFrame
from ..managers import manager_of

if TYPE_CHECKING:
    from astropy.coordinates import EarthLocation, SkyCoord
    from astropy.time import Time

__all__ = [
    "Source",
    "FixedSource",
    "SolarSystemObject",
    "ConstantElevationSource",
    "AzimuthRange",
]


# Every source that a name may mean, with how well: 1 its name, 2 its name in other letter case, 3 an alias, 4 an alias
# in other letter case. The schema of the app is first in the search path.
_MATCHES = f"""
    WITH wanted AS (SELECT name, {FOLDED.format("name")} AS folded FROM unnest(%s::text[]) AS name),
    found AS (
        SELECT wanted.name, source.id, CASE WHEN source.name = wanted.name THEN 1 ELSE 2 END AS rank
        FROM wanted JOIN source ON {FOLDED.format("source.name")} = wanted.folded
        UNION ALL
        SELECT wanted.name, source.id, CASE WHEN alias = wanted.name THEN 3 ELSE 4 END
        FROM source CROSS JOIN LATERAL jsonb_array_elements_text(source.aliases) AS alias
        JOIN wanted ON {FOLDED.format("alias")} = wanted.folded
        WHERE source.aliases <> '[]'
    )
    SELECT DISTINCT name, id FROM (SELECT *, min(rank) OVER (PARTITION BY name) AS best FROM found) AS ranked
    WHERE rank = best
"""


_CLASHES = f"""
    WITH called AS MATERIALIZED (
        SELECT id, name AS source, name AS called, {FOLDED.format("name")} AS folded FROM source
        UNION ALL
        SELECT id, name, alias, {FOLDED.format("alias")}
        FROM source CROSS JOIN LATERAL jsonb_array_elements_text(aliases) AS alias WHERE aliases <> '[]'
    )
    SELECT DISTINCT least(one.called, other.called), least(one.source, other.source), greatest(one.source, other.source)
    FROM called AS one JOIN called AS other ON other.folded = one.folded AND other.id <> one.id
    WHERE one.source = ANY(%s) ORDER BY 1, 2, 3 LIMIT %s
"""


class SourceQuerySet(SpecificQuerySet["Source"]):
    def matches(self, names: Collection[str]) -> "dict[str, list[Source]]":
        """Return the sources that each name means: by exact name, else by name without case, else by alias.

        Two queries, however many names. A name that is unknown is missing; one with several sources is ambiguous.

        Args:
            names: names or aliases, in any letter case and Unicode normal form.
        """
        with connections[self.db].cursor() as cursor:
            cursor.execute(_MATCHES, [list(names)])
            pairs = cursor.fetchall()
        sources = {source.pk: source for source in self.filter(pk__in={key for _, key in pairs})}
        found: dict[str, list[Source]] = {}
        for name, key in pairs:
            if key in sources:
                found.setdefault(name, []).append(sources[key])
        return {name: sorted(those, key=lambda source: source.name) for name, those in found.items()}

    def name_clashes(self, names: Collection[str], limit: int = 100) -> list[tuple[str, str, str]]:
        """Return names or aliases, in any letter case, that sources of these names share with others.

        Args:
            names: of sources.
            limit: number of them at most.

        Returns:
            The name, and the names of two sources that have it.
        """
        with connections[self.db].cursor() as cursor:
            cursor.execute(_CLASHES, [list(names), limit])
            return cursor.fetchall()

    def resolve(self, name: str) -> "Source | None":
        """Return the source that a name means, or None if it is unknown.

        Args:
            name: name or alias; see :meth:`matches`.

        Raises:
            Source.MultipleObjectsReturned: several sources are meant equally well.
        """
        found = self.matches([name]).get(name, [])
        if len(found) > 1:
            names = " or ".join(source.name for source in found)
            raise self.model.MultipleObjectsReturned(f"{name!r} may mean {names}; give the exact name of one of them")
        return found[0] if found else None

    def spelled_like(self, text: str) -> "Self | None":
        """Sources with this in their name or an alias, in any spelling: ``m82`` finds M 82. One query for the spelling.

        Args:
            text: whole or part of a name; letter case, blanks, hyphens and leading zeros do not count.

        Returns:
            None where the text has no more than one letter or digit.
        """
        if "\x00" in text:
            return None
        (spelling,) = spelled_texts([text])
        if len(spelling) < 2 or '"' in spelling:
            return None
        names = Concat("name", Value('"'), Cast("aliases", models.TextField()), output_field=models.TextField())
        return self.alias(spelling=spelled(names)).filter(spelling__contains=spelling)

    def called(self, name: str) -> Self:
        """Sources of this name or alias, upper and lower case alike for the name."""
        return self.filter(Q(name__iexact=name) | Q(aliases__contains=[name]))


class Source(SubtypedModel):
    """An object or a field on the sky that a telescope can be pointed at.

    The subtypes hold what depends on how the position is known: fixed coordinates, an ephemeris, or a field that is
    scanned at one elevation. An observation unit refers to the source, whichever subtype it is.
    """

    discriminator = "type"
    natural_key_fields = ("name",)
    logged_in_bulk = "INSERT"

    name = models.CharField(max_length=200, unique=True, help_text=_("Name, unique among all sources."))
    type = models.CharField(
        max_length=20, choices=SourceType, editable=False, help_text=_("Type of source; set by its class.")
    )
    aliases = models.JSONField(default=list, blank=True, help_text=_("Other names, a JSON list of texts."))
    comment = models.TextField(blank=True, default="", help_text=_("Remarks for observers."))

    objects = manager_of(SourceQuerySet)

    class Meta:
        constraints = [
            json_list("aliases"),
            json_list_of_text("aliases"),
            HasSubtype(
                "type",
                {
                    SourceType.FIXED: "fixed_source",
                    SourceType.SOLAR_SYSTEM: "solar_system_object",
                    SourceType.CONSTANT_ELEVATION: "constant_elevation_source",
                },
            ),
        ]

    def __str__(self) -> str:
        return self.name


class FixedSourceQuerySet(OpsQuerySet["FixedSource"]):
    def cone_search(self, ra_deg: float, dec_deg: float, radius_deg: float) -> Self:
        """Return sources within a circle on the sky, with their distance as ``separation_deg``.

        Right across RA 0/360 and at the poles. An index on the declination narrows the search, and the RA
        where the circle holds no pole; the haversine formula, exact for small angles, decides.

        Args:
            ra_deg: right ascension of the centre (ICRS), degrees; any turn is accepted.
            dec_deg: declination of the centre (ICRS), degrees in [-90, 90].
            radius_deg: radius, degrees in [0, 180].

        Raises:
            ValueError: an argument is not finite or out of its range.
        """
        if not all(map(math.isfinite, (ra_deg, dec_deg, radius_deg))):
            raise ValueError("cone search needs finite numbers")
        if not -90 <= dec_deg <= 90:
            raise ValueError(f"declination {dec_deg}° is outside [-90°, 90°]")
        if not 0 <= radius_deg <= 180:
            raise ValueError(f"radius {radius_deg}° is outside [0°, 180°]")
        ra_deg %= 360
        margin = radius_deg + 1e-9
        box = Q(dec_deg__gte=dec_deg - margin, dec_deg__lte=dec_deg + margin)
        if abs(dec_deg) + margin < 90:
            half_width = math.degrees(
                math.asin(min(1.0, math.sin(math.radians(margin)) / math.cos(math.radians(dec_deg))))
            )
            low, high = ra_deg - half_width - 1e-9, ra_deg + half_width + 1e-9
            if low < 0:
                box &= Q(ra_deg__gte=low + 360) | Q(ra_deg__lte=high)
            elif high >= 360:
                box &= Q(ra_deg__gte=low) | Q(ra_deg__lte=high - 360)
            else:
                box &= Q(ra_deg__gte=low, ra_deg__lte=high)

        def size(angle: Any) -> Radians:
            # The square of a smaller one underflows, which PostgreSQL takes for an error.
            return Radians(Greatest(Abs(angle), Value(1e-100)))

        half_dec = size(F("dec_deg") - Value(float(dec_deg))) / 2.0
        half_ra = size(F("ra_deg") - Value(float(ra_deg))) / 2.0
        narrowing = Cos(size(F("dec_deg"))) * Value(math.cos(math.radians(dec_deg)))
        haversine = Power(Sin(half_dec), 2) + narrowing * Power(Sin(half_ra), 2)
        separation = ExpressionWrapper(
            Degrees(ASin(Sqrt(Least(haversine, Value(1.0))))) * 2.0, output_field=models.FloatField()
        )
        return self.filter(box).annotate(separation_deg=separation).filter(separation_deg__lte=radius_deg + 1e-12)


class FixedSource(Source):
    """A source at a fixed place among the stars."""

    subtype = SourceType.FIXED

    source_ptr = parent_link(Source, _("Source that has this position."))
    ra_deg = models.FloatField(help_text=_("Right ascension (ICRS), degrees in [0, 360); what all queries use."))
    dec_deg = models.FloatField(help_text=_("Declination (ICRS), degrees; what all queries use."))
    frame = models.CharField(
        max_length=10,
        choices=CoordinateFrame,
        default=CoordinateFrame.ICRS,
        help_text=_("Frame in which the observer gave the position."),
    )
    longitude_deg = models.FloatField(
        null=True, blank=True, help_text=_("Longitude or RA as given in that frame, degrees.")
    )
    latitude_deg = models.FloatField(
        null=True, blank=True, help_text=_("Latitude or Dec as given in that frame, degrees.")
    )
    equinox = models.CharField(
        max_length=10, blank=True, default="", help_text=_("Equinox as given, such as J2000 or B1950.")
    )
    epoch_year = models.FloatField(
        null=True,
        blank=True,
        help_text=_("Epoch of a position that moves, Julian year such as 2016; proper motion counts from it."),
    )
    pm_ra_mas_yr = models.FloatField(null=True, blank=True, help_text=_("Proper motion in RA times cos(Dec), mas/yr."))
    pm_dec_mas_yr = models.FloatField(null=True, blank=True, help_text=_("Proper motion in Dec, mas/yr."))
    parallax_mas = models.FloatField(null=True, blank=True, help_text=_("Trigonometric parallax, mas."))
    vlsr_km_s = models.FloatField(
        null=True, blank=True, help_text=_("Radial velocity (LSRK, radio convention), km/s; what all queries use.")
    )
    given_velocity = models.FloatField(
        null=True,
        blank=True,
        help_text=_("Radial velocity as given, km/s, or redshift; empty if it was given as LSRK and radio."),
    )
    velocity_frame = models.CharField(
        max_length=15,
        choices=VelocityFrame,
        null=True,
        blank=True,
        help_text=_("Rest frame of the given velocity."),
    )
    velocity_convention = models.CharField(
        max_length=10,
        choices=VelocityConvention,
        null=True,
        blank=True,
        help_text=_("Doppler convention of the given velocity."),
    )

    objects = manager_of(FixedSourceQuerySet)

    class Meta:
        constraints = [
            between("ra_deg", 0, 360, "°", below_high=True),
            between("dec_deg", -90, 90, "°"),
            between("latitude_deg", -90, 90, "°"),
            between("longitude_deg", -360, 360, "°"),
            Check(
                "equinox_of_frame",
                Q(equinox="")
                | Q(frame=CoordinateFrame.ECLIPTIC)
                | Q(frame=CoordinateFrame.FK4, equinox__startswith="B")
                | Q(frame=CoordinateFrame.FK5, equinox__startswith="J"),
                message="An equinox is Besselian in FK4 and Julian in FK5; ICRS and galactic positions have none.",
                field="equinox",
            ),
            between("epoch_year", 1800, 2200),
            between("vlsr_km_s", -SPEED_OF_LIGHT_KM_S, SPEED_OF_LIGHT_KM_S, " km/s"),
            Check(
                "given_velocity_complete",
                Q(given_velocity=None, velocity_frame=None, velocity_convention=None)
                | Q(
                    given_velocity__isnull=False,
                    velocity_frame__isnull=False,
                    velocity_convention__isnull=False,
                    vlsr_km_s__isnull=False,
                ),
                message="A given velocity needs its frame, its convention and vlsr_km_s; give all of them, or none.",
            ),
        ]
        indexes = [Index(fields=["dec_deg", "ra_deg"], name="position")]

    @property
    def skycoord(self) -> "SkyCoord":
        """Where it is (ICRS), as astropy's ``SkyCoord``, with what is known of its parallax, proper motion and epoch.

        Its radial velocity is there if it was given against the barycentre, as astropy's ICRS means it; the one
        against the LSRK stays in ``vlsr_km_s``.
        """
        return fixed_coordinates(self)

    @property
    def given_skycoord(self) -> "SkyCoord":
        """Its position as it was given, in that frame and equinox."""
        return given_coordinates(self)


class SolarSystemObject(Source):
    """A source that moves among the stars and whose place an ephemeris gives."""

    subtype = SourceType.SOLAR_SYSTEM

    source_ptr = parent_link(Source, _("Source that has this ephemeris."))
    ephemeris_name = models.CharField(
        max_length=100, help_text=_("Name in the ephemerides of the control system, such as mars.")
    )
    naif_id = models.IntegerField(null=True, blank=True, unique=True, help_text=_("NAIF number, such as 499 for Mars."))
    horizons_id = models.CharField(max_length=100, blank=True, default="", help_text=_("Identifier for JPL Horizons."))

    def skycoord_at(self, time: "Time | datetime", location: "EarthLocation | None" = None) -> "SkyCoord":
        """Where it is at a time, by astropy's built-in ephemeris; nothing is downloaded.

        The Sun, the Moon and the planets only, within some arcseconds to an arcminute; for pointing a telescope ask JPL
        Horizons.

        Args:
            time: astropy's ``Time``, or a datetime with a time zone.
            location: of the observer, such as ``telescope.location``; by default the centre of the Earth.

        Raises:
            ValueError: the built-in ephemeris does not have the body.
        """
        return body_coordinates(self, time, location)


class ConstantElevationSource(Source):
    """A field that is scanned back and forth in azimuth while it rises or sets through one elevation.

    The ranges of azimuth in which it is scanned are ``AzimuthRange`` rows.
    """

    subtype = SourceType.CONSTANT_ELEVATION

    source_ptr = parent_link(Source, _("Source that has this field."))
    ra_min_deg = models.FloatField(
        help_text=_("Western edge in RA (ICRS), degrees; above the other edge where the field spans RA 0.")
    )
    ra_max_deg = models.FloatField(help_text=_("Eastern edge in RA (ICRS), degrees."))
    dec_min_deg = models.FloatField(help_text=_("Southern edge (ICRS), degrees."))
    dec_max_deg = models.FloatField(help_text=_("Northern edge (ICRS), degrees."))
    elevation_deg = models.FloatField(null=True, blank=True, help_text=_("Elevation of the scan, degrees."))

    class Meta:
        constraints = [
            between("ra_min_deg", 0, 360, "°", below_high=True),
            between("ra_max_deg", 0, 360, "°"),
            between("dec_min_deg", -90, 90, "°"),
            between("dec_max_deg", -90, 90, "°"),
            ordered("dec_min_deg", "dec_max_deg"),
            between("elevation_deg", 0, 90, "°"),
        ]

    @property
    def skycoord(self) -> "SkyCoord":
        """Where the middle of the field is (ICRS), as astropy's ``SkyCoord``."""
        return field_coordinates(self)


class AzimuthRange(NumberedModel):
    """A range of azimuth in which a field is scanned, rising or setting."""

    source = models.ForeignKey(
        ConstantElevationSource,
        on_delete=models.CASCADE,
        related_name="azimuth_ranges",
        help_text=_("Constant-elevation source that is observed in this range."),
    )
    azimuth_min_deg = models.FloatField(help_text=_("Lower end, degrees from north through east."))
    azimuth_max_deg = models.FloatField(help_text=_("Upper end, degrees from north through east."))
    rising = models.BooleanField(help_text=_("Whether the field is rising in this range; it is setting otherwise."))
    lst_start_hours = models.FloatField(
        null=True, blank=True, help_text=_("Local sidereal time of the start, hours in [0, 24).")
    )
    lst_end_hours = models.FloatField(
        null=True,
        blank=True,
        help_text=_("Local sidereal time of the end, hours in [0, 24); below the start past midnight."),
    )

    class Meta:
        constraints = [
            between("azimuth_min_deg", -360, 720, "°"),
            between("azimuth_max_deg", -360, 720, "°"),
            ordered("azimuth_min_deg", "azimuth_max_deg"),
            between("lst_start_hours", 0, 24, " h", below_high=True),
            between("lst_end_hours", 0, 24, " h", below_high=True),
        ]

    def __str__(self) -> str:
        return f"{self.azimuth_min_deg:g}° to {self.azimuth_max_deg:g}° {'rising' if self.rising else 'setting'}"
