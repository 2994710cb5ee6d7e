"""Sizes, durations, times and ranges are formatted as people read them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from opsdb.formatting import (
    format_declination,
    format_duration,
    format_exact_duration,
    format_exact_size,
    format_minute,
    format_moment,
    format_range,
    format_right_ascension,
    format_second,
    format_size,
    format_time_of_day,
    parse_size,
)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_000, "1 kB"),
        (2_500_000, "2.5 MB"),
        (50 * 10**9, "50 GB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (99_940, "99.9 kB"),
        (99_960, "100 kB"),
        (3 * 10**15, "3 PB"),
        (2 * 10**21, "2000 EB"),
        (-1_500, "-1.5 kB"),
    ],
)
def test_sizes_have_three_digits_and_a_decimal_unit(size, text):
    assert format_size(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3_600, "1 h 0 min"),
        (11_100, "3 h 5 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_durations_have_their_two_largest_units(seconds, text):
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.25, "0.25 s"), (1, "1 s"), (86_400, "1 d"), (86_582, "1 d 3 min 2 s"), (0, "0 s")]
)
def test_exact_durations_have_all_units(seconds, text):
    assert format_exact_duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "size"),
    [("500 TB", 5 * 10**14), ("1.5PB", 15 * 10**14), ("2 TiB", 2**41), ("500,000 ", 500_000), ("5e14", 5 * 10**14)],
)
def test_sizes_are_read_with_their_unit(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    [
        "",
        "TB",
        "500 TX",
        "-5 TB",
        "1.2.3 GB",
        "0.5",
        "1 2e TB",
        "٣x",
        "1,5 TB",
        "1,50 PB",
        "12,3456 GB",
        "1e9999999 TB",
    ],
)
def test_what_is_no_size_is_refused_with_what_would_be(text):
    with pytest.raises(
        ValueError, match="is no (size: give a number and a unit, such as 500 TB|whole number of bytes)"
    ):
        parse_size(text)


@pytest.mark.parametrize("size", [0, 1, 999, 1_000, 1_230_000, 1_234_567, 5 * 10**14, 1_250 * 10**12, 2**41])
def test_sizes_are_written_as_they_are_read(size):
    assert parse_size(format_exact_size(size)) == size
    assert format_exact_size(5 * 10**14) == "500 TB"


@pytest.mark.parametrize(
    ("angle", "ra", "dec"),
    [
        (0, "00:00:00.00", "+00:00:00.0"),
        (83.8220833, "05:35:17.30", "+83:49:19.5"),
        (-5.3911111, None, "-05:23:28.0"),
        (359.99999999, "00:00:00.00", None),
        (-0.00001, None, "+00:00:00.0"),
        (-0.5, None, "-00:30:00.0"),
        (59.999999, "04:00:00.00", "+60:00:00.0"),
    ],
)
def test_coordinates_are_written_in_hours_and_degrees_without_sixty_seconds(angle, ra, dec):
    assert ra is None or format_right_ascension(angle) == ra
    assert dec is None or format_declination(angle) == dec


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=-4)), timezone(timedelta(hours=5, minutes=45))])
def test_times_are_written_in_utc_whatever_zone_they_are_in(zone):
    moment = datetime(2026, 11, 23, 2, 14, 59, 999_999, tzinfo=UTC).astimezone(zone)
    assert format_second(moment) == "2026-11-23 02:14:59"
    assert format_minute(moment) == "2026-11-23 02:14"
    assert format_time_of_day(moment) == "02:14"
    assert format_moment(moment) == "2026-11-23 02:14:59"
    assert format_moment(moment.replace(second=0, microsecond=0)) == "2026-11-23 02:14"


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(30, 80.5, "30–80.5°"), (None, 80, "–80°"), (30, None, "30–°"), (0, 0, "0–0°"), (None, None, None)],
)
def test_ranges_are_open_where_an_end_is_not_given(low, high, text):
    assert format_range(low, high, "°") == text
