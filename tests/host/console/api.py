"""The JSON API, for programs with a token."""

from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.serializers import ModelSerializer
from rest_framework.viewsets import ModelViewSet, ReadOnlyModelViewSet

from opsdb.filters import FixedSourceFilterSet, ObsUnitFilterSet, RawDataFileFilterSet
from opsdb.models import FixedSource, ObsUnit, RawDataFile
from opsdb.rest_framework.views import RulesMixin


class ObsUnitSerializer(ModelSerializer):
    class Meta:
        model = ObsUnit
        fields = ("id", "name", "observing_program", "source", "obs_mode", "available", "priority")


class FixedSourceSerializer(ModelSerializer):
    class Meta:
        model = FixedSource
        fields = ("id", "name", "ra_deg", "dec_deg")


class RawDataFileSerializer(ModelSerializer):
    class Meta:
        model = RawDataFile
        fields = ("id", "relative_path", "size_bytes", "checksum")


class ObsUnits(RulesMixin, ModelViewSet):
    queryset = ObsUnit.objects.order_by("pk")
    serializer_class = ObsUnitSerializer
    filterset_class = ObsUnitFilterSet


class FixedSources(RulesMixin, ModelViewSet):
    queryset = FixedSource.objects.order_by("pk")
    serializer_class = FixedSourceSerializer
    filterset_class = FixedSourceFilterSet


class RawDataFiles(ReadOnlyModelViewSet):
    """Pages by key, because nothing counts files."""

    queryset = RawDataFile.objects.all()
    serializer_class = RawDataFileSerializer
    filterset_class = RawDataFileFilterSet

    def list(self, request):
        filterset = RawDataFileFilterSet(request.query_params, refuse_unknown=True, allowed=["page"])
        if not filterset.is_valid():
            raise ValidationError(filterset.errors)
        page = filterset.page(request.query_params.get("page", ""))
        rows = self.get_serializer(page.rows, many=True).data
        return Response({"results": rows, "next": page.next if page.has_next else None})
