"""Labels and messages are made from names of fields; people read them."""

import pytest

from opsdb.database.labels import label, spoken, unit_of

from .schema import MODELS


@pytest.mark.parametrize(
    ("name", "said", "labelled"),
    [
        ("ra_deg", "RA", "RA [deg]"),
        ("velocity_deg_s", "velocity", "velocity [deg/s]"),
        ("pm_ra_mas_yr", "proper motion RA", "proper motion RA [mas/yr]"),
        ("planned_duration_seconds", "planned duration", "planned duration [s]"),
        ("pwv_max_mm", "PWV max", "PWV max [mm]"),
        ("obs_mode", "observation mode", "observation mode"),
        ("executed_obs_unit", "observation", "observation"),
        ("requested_executions", "requested observations", "requested observations"),
        ("hpc_job_id", "HPC job ID", "HPC job ID"),
        ("name", "name", "name"),
        ("m", "m", "m"),
    ],
)
def test_a_field_is_said_as_people_say_it(name, said, labelled):
    assert spoken(name) == said
    assert label(name) == labelled


def test_a_unit_is_found_at_the_end_of_a_name():
    assert unit_of("vlsr_km_s") == "km_s"
    assert unit_of("size_bytes") == "bytes"
    assert unit_of("status") == ""


def test_messages_are_sentences():
    messages = {
        constraint.violation_error_message
        for model in MODELS
        for constraint in model._meta.constraints
        if constraint.violation_error_message != constraint.default_violation_error_message
    }
    assert len(messages) > 100
    for message in messages:
        assert message.endswith("."), message
        assert message[0].isupper() or message[0] == "v", message
