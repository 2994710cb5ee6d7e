import pytest
from django.contrib.auth.models import Permission

from opsdb.testing.factories import UserFactory
from tests.admins.conftest import logged_in


@pytest.fixture
def seeing(db):
    """Makes the browser of a member of staff who may view these models and nothing else."""

    def browser(*models):
        names = [f"view_{model._meta.model_name}" for model in models]
        views = Permission.objects.filter(content_type__app_label="opsdb", codename__in=names)
        return logged_in(UserFactory(is_staff=True, user_permissions=views))

    return browser
