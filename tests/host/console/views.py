"""Pages: lists by filter sets, a unit with what was observed, and the sign-in by an identity provider."""

from django.contrib.auth import get_user_model, login
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render

from opsdb.access import assign_roles
from opsdb.filters import ObsUnitFilterSet, RawDataFileFilterSet
from opsdb.models import ExecutedObsUnit, ObsUnit

from .provider import profile_of


def listed(request, filterset_class, template):
    filterset = filterset_class(request.GET, refuse_unknown=True, allowed=["page"])
    if not filterset.is_valid():
        return render(request, template, {"filterset": filterset}, status=400)
    page = filterset.page(request.GET.get("page", ""), size=20)
    return render(request, template, {"filterset": filterset, "page": page})


@permission_required("read:programs")
def units(request):
    return listed(request, ObsUnitFilterSet, "console/units.html")


@permission_required("read:data")
def files(request):
    return listed(request, RawDataFileFilterSet, "console/files.html")


@permission_required(["read:programs", "read:observations"])
def unit(request, pk):
    found = get_object_or_404(ObsUnit.objects.select_related("observing_program", "source"), pk=pk)
    executions = ExecutedObsUnit.objects.filter(obs_unit=found).order_by("-start_time")[:20]
    return render(request, "console/unit.html", {"unit": found, "executions": executions})


def callback(request):
    """What an identity provider sends people back to."""
    profile = profile_of(request.GET.get("code", ""))
    if profile is None:
        return HttpResponseBadRequest("unknown code")
    user, _ = get_user_model().objects.get_or_create(username=profile["login"])
    assign_roles(user, profile["teams"])
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("units")
