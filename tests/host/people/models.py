import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models


class Person(AbstractUser):
    """The project's own user, with a key of its own kind."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    orcid = models.CharField(max_length=19, blank=True)
