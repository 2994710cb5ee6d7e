"""A person whose requests go straight to the pages, past the middleware, whose work is the same for all of them.

What a page does is decided by its address, the person and the database. Session and login, the policy's headers and
the limits are tested elsewhere; here they would cost more than most pages.
"""

from django.contrib.messages.storage.cookie import CookieStorage
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.core.handlers.exception import get_exception_response
from django.http import Http404
from django.test import RequestFactory
from django.urls import get_resolver, resolve

REFUSALS = {PermissionDenied: 403, Http404: 404, BadRequest: 400, SuspiciousOperation: 400}


class Visitor(RequestFactory):
    """A logged-in person.

    Attributes:
        visited: the addresses to which a redirection has led, which are followed once.
    """

    def __init__(self, user, renders=True):
        """Let a person visit.

        Args:
            user: who.
            renders: whether pages are rendered; otherwise only the first of each template and model is.
        """
        super().__init__()
        self.user, self.renders = user, renders
        self.visited, self.rendered = set(), set()

    def get(self, path, *args, follow=False, **data):
        response = super().get(path, *args, **data)
        while follow and response.status_code == 302 and response.url not in self.visited:
            self.visited.add(response.url)
            response = super().get(response.url)
        return response

    def request(self, **environ):
        """Return the answer to a request; what is no refusal is raised."""
        request = super().request(**environ)
        request.user, request.session, request._dont_enforce_csrf_checks = self.user, {}, True
        request._messages = CookieStorage(request)
        response = self._answer(request)
        response.request = request
        return response

    def _answer(self, request):
        try:
            match = request.resolver_match = resolve(request.path_info)
            response = match.func(request, *match.args, **match.kwargs)
            return self._render(response) if hasattr(response, "render") else response
        except tuple(REFUSALS) as error:
            status = next(status for kind, status in REFUSALS.items() if isinstance(error, kind))
            return get_exception_response(request, get_resolver(), status, error)

    def _render(self, response):
        key = str(response.template_name), (response.context_data or {}).get("opts"), response.status_code
        if self.renders or key not in self.rendered:
            self.rendered.add(key)
            return response.render()
        return response
