"""What a host's URLs lead to, in tests of the middleware."""

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, JsonResponse
from django.urls import path

from opsdb.models import Site


def who(request):
    return JsonResponse({"user": request.user.get_username(), "token": getattr(request, "auth", None) is not None})


async def who_async(request):
    user = await request.auser()
    return JsonResponse({"user": user.get_username(), "may": await user.ahas_perm("opsdb.view_site")})


def rename(request, name):
    Site.objects.filter(name=name).update(description="renamed")
    return HttpResponse()


async def rename_async(request, name):
    await Site.objects.filter(name=name).aupdate(description="renamed")
    await sync_to_async(Site.objects.filter(name=name).update)(description="renamed again")
    return HttpResponse()


@permission_required("read:observations", raise_exception=True)
def observations(request):
    return HttpResponse()


urlpatterns = [
    path("who/", who),
    path("who-async/", who_async),
    path("rename/<name>/", rename),
    path("rename-async/<name>/", rename_async),
    path("observations/", observations),
]
