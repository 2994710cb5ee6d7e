"""Actions on what the telescope did."""

from django import forms
from django.utils.translation import gettext_lazy as _

from opsdb.models import ObsUnit, Quality
from opsdb.workflows import assess_observation, correct_observation

from ..kit.actions import Action
from ..kit.dates import utc_moment
from ..kit.orders import OrderForm

UNCHANGED = _("UTC, as 2026-06-15 and 12:00; empty: as it is.")


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


class CorrectionForm(OrderForm):
    """What is right."""

    start_time = utc_moment(_("Start"), UNCHANGED)
    end_time = utc_moment(_("End"), UNCHANGED)
    obs_unit = forms.ModelChoiceField(
        ObsUnit.objects.all(),
        label=_("Observation unit"),
        required=False,
        widget=forms.NumberInput(),
        help_text=_("Number of the unit that was observed; empty: as it is."),
    )
    with_files = forms.BooleanField(
        label=_("Its files too"),
        required=False,
        help_text=_(
            "The times of its files move by as much as its start, including earlier corrections of the start that left "
            "the files unchanged."
        ),
    )


CORRECT = Action(
    name="correct",
    label=_("Correct"),
    about=_("What the telescope reported wrongly, times or unit, is corrected; its history keeps what was reported."),
    run=lambda execution, order: correct_observation(execution, user=order.user, reason=order.message, **order.inputs),
    form=CorrectionForm,
    one_row=True,
)
EXECUTION_ACTIONS = (ASSESS, CORRECT)
