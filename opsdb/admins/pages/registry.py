"""Which admin each page belongs to, and the one mixin that brings the pages to all of them."""

from opsdb.models import DataTransferRoute, ExecutedObsUnit, PhysicalCopy, RawDataPackage, Source

from . import dashboard, dataflow, night, observation, sky, where, why
from .base import PagesMixin

PAGES = {
    RawDataPackage: (dashboard.PAGE, why.PAGE),
    PhysicalCopy: (where.PAGE,),
    ExecutedObsUnit: (night.PAGE, observation.PAGE),
    Source: (sky.PAGE,),
    DataTransferRoute: (dataflow.PAGE,),
}


class RegisteredPagesMixin(why.ExplanationMixin, PagesMixin):
    """Mixin of every admin: the pages of its model, and above the forms of what can be stuck why it is."""

    @property
    def pages(self):
        """The pages that belong to this admin."""
        return PAGES.get(self.model, ())
