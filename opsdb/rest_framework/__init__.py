"""Classes for an API in Django REST framework, which the extra ``drf`` installs.

In the host's settings::

    REST_FRAMEWORK = {
        "DEFAULT_AUTHENTICATION_CLASSES": ["opsdb.rest_framework.authentication.TokenAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["opsdb.rest_framework.permissions.ModelPermissions"],
        "EXCEPTION_HANDLER": "opsdb.rest_framework.views.exception_handler",
    }
"""
