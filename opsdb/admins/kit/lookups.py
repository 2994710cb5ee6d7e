"""Lookups that the address of a list may have: none of secrets, and none of values that can't be compared."""

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.sites import AdminSite
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import EmptyResultSet, FieldDoesNotExist, FullResultSet
from django.db.models import Model, QuerySet


def asks_for_a_secret(model: type[Model], lookup: str, site: AdminSite) -> bool:
    """Return whether a lookup looks at a password, or at a field that its admin hides, also in a related row.

    The answer to ``?token_hash__startswith=4`` would give a hash away letter by letter.
    """
    for part in lookup.split("__"):
        try:
            field = model._meta.get_field(model._meta.pk.name if part == "pk" else part)
        except FieldDoesNotExist:
            return False
        hidden = getattr(site.get_model_admin(model), "hidden", ()) if site.is_registered(model) else ()
        if field.name in hidden or (field.name == "password" and issubclass(model, AbstractBaseUser)):
            return True
        if not field.is_relation or field.related_model is None:
            return False
        model = field.related_model
    return False


def require_comparable(rows: QuerySet) -> None:
    """Refuse values that no statement can be made of, such as the year 99999999.

    Raises:
        IncorrectLookupParameters: there is one.
    """
    try:
        rows.query.get_compiler(using=rows.db).as_sql()
    except (EmptyResultSet, FullResultSet):
        return
    except (ValueError, OverflowError, TypeError) as error:
        raise IncorrectLookupParameters(error) from error
