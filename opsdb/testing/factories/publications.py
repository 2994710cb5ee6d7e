import factory

from opsdb.models import DataRelease, Publication

from .base import EPOCH, OpsFactory, many


class DataReleaseFactory(OpsFactory):
    class Meta:
        model = DataRelease

    name = factory.Sequence("release {}".format)
    version = "1.0"
    products = many("products")
    programs = many("programs")

    class Params:
        released = factory.Trait(public=True, released_at=EPOCH, doi=factory.Sequence("10.5281/zenodo.{}".format))


class PublicationFactory(OpsFactory):
    class Meta:
        model = Publication

    title = factory.Sequence("Paper {}".format)
    year = 2026
    authors = ["Noether, E."]
    programs = many("programs")
    releases = many("releases")
    products = many("products")
