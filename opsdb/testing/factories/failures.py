from datetime import timedelta

import factory
from django.utils import timezone

from opsdb.models import FailureAcknowledgement
from opsdb.workflows import attributed

from .access import UserFactory
from .base import OpsFactory


class FailureAcknowledgementFactory(OpsFactory):
    class Meta:
        model = FailureAcknowledgement

    cause = factory.Sequence("{:016x}".format)
    message = "no space left on device"
    reason = "a new disk comes on Monday"
    until = factory.LazyFunction(lambda: timezone.now() + timedelta(days=7))
    acknowledged_by = factory.SubFactory(UserFactory)

    @classmethod
    def _create(cls, model_class, *args, **fields):
        """Acknowledge in person."""
        with attributed(user=fields["acknowledged_by"]):
            return super()._create(model_class, *args, **fields)
