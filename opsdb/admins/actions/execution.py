"""Actions on what the telescope did."""

from django import forms
from django.utils.translation import gettext_lazy as _

from opsdb.models import Quality
from opsdb.workflows import assess_observation

from ..kit.actions import Action
from ..kit.orders import OrderForm


class QualityForm(OrderForm):
    """How good the data are."""

    quality = forms.ChoiceField(label=_("Quality"), choices=Quality.choices, widget=forms.RadioSelect)


ASSESS = Action(
    name="assess",
    label=_("Mark quality"),
    about=_("Your judgement of how good the data are."),
    run=lambda execution, order: assess_observation(execution, order.inputs["quality"]),
    permission="assess_executedobsunit",
    form=QualityForm,
)
EXECUTION_ACTIONS = (ASSESS,)
