from console import api, views
from django.contrib import admin
from django.contrib.auth.views import LoginView
from django.urls import include, path
from rest_framework.routers import SimpleRouter

router = SimpleRouter()
router.register("units", api.ObsUnits)
router.register("sources", api.FixedSources)
router.register("files", api.RawDataFiles)

urlpatterns = [
    path("admin/", admin.site.urls),
    path("login/", LoginView.as_view(), name="login"),
    path("callback/", views.callback),
    path("units/", views.units, name="units"),
    path("units/<int:pk>/", views.unit, name="unit"),
    path("files/", views.files, name="files"),
    path("api/", include(router.urls)),
]
