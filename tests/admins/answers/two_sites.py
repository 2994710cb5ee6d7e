"""Addresses of a project with the usual admin site and one of its own, which registers our admins too."""

from django.contrib import admin
from django.urls import path

second = admin.AdminSite(name="second")
for model, model_admin in admin.site._registry.items():
    second.register(model, type(model_admin))

urlpatterns = [path("admin/", admin.site.urls), path("second/", second.urls)]
