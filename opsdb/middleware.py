"""What ops-db does around every request."""

from .workflows import attributed


class AttributionMiddleware:
    """Write into the change log which user and which request changed a row.

    Put it after the middleware that finds the user. It asks nothing of the database before something is changed.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with attributed(user=lambda: getattr(request, "user", None), origin=f"{request.method} {request.path}"):
            return self.get_response(request)
