"""Which version of its software a step runs."""

import pytest

from opsdb.models import (
    VersionPolicy,
)
from opsdb.testing.factories import (
    PipelineFactory,
    ReductionSoftwareVersionFactory,
    ReductionStepFactory,
)
from opsdb.workflows import (
    Refused,
    choose_software_version,
    explain_row,
    plan_runs,
)
from tests.workflows.reducing import available


@pytest.fixture
def pipeline(db):
    return PipelineFactory()


@pytest.mark.parametrize(
    ("policy", "pinned", "chosen"),
    [
        (VersionPolicy.EXACT, "1.2", "1.2"),
        (VersionPolicy.COMPATIBLE, "1.2", "1.10"),
        (VersionPolicy.COMPATIBLE, "2.0rc1", "2.0"),
        (VersionPolicy.COMPATIBLE, "0.9", None),
        (VersionPolicy.LATEST, None, "2.0"),
        (VersionPolicy.LATEST, "1.2", "2.0"),
    ],
)
def test_the_policy_chooses_the_version(pipeline, policy, pinned, chosen):
    step = ReductionStepFactory(pipeline=pipeline)
    for version in ["0.9", "1.2", "1.10", "1.9.9", "1.11", "2.0rc1", "2.0", "3.0"]:
        ReductionSoftwareVersionFactory(
            software=step.software, version=version, deprecated=version in ("0.9", "1.11", "3.0")
        )
    step.version_policy = policy
    step.pinned_version = pinned and step.software.versions.get(version=pinned)
    if chosen:
        assert choose_software_version(step).version == chosen
    else:
        with pytest.raises(Refused, match=f"reduction_step {step.pk}: .* no version"):
            choose_software_version(step)


def test_a_deprecated_pinned_version_runs_only_when_that_is_allowed(pipeline):
    step = ReductionStepFactory(pipeline=pipeline)
    step.pinned_version, _ = (
        ReductionSoftwareVersionFactory(software=step.software, version=version) for version in ("1.0", "1.1")
    )
    step.version_policy = VersionPolicy.EXACT
    step.save()
    step.software.versions.filter(version="1.0").update(deprecated=True)
    available(pipeline)
    refusal = f"reduction_step {step.pk}: its pinned version 1.0 is deprecated; .*not deprecated: 1.1.*allow_deprecated"
    with pytest.raises(Refused, match=refusal):
        plan_runs(pipeline)
    told = explain_row(step)
    assert (told.who, "pin one" in told.next_step) == ("operator", True)
    [run] = plan_runs(pipeline, allow_deprecated=True)
    assert run.software_version == step.pinned_version
