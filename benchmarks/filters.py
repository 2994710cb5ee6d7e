"""What filters cost as the tables grow: ``python -m benchmarks.filters``.

Every parameter of every filter set is asked for alone in both databases of ``benchmarks.filling``, each choice of it,
and so are 200 random pairs of parameters of the tables that grow: from the form to the first fifty rows. None should
take more than 500 ms, nor twice as long in the large database as in the small one, unless that is below 50 ms; else the
program ends with 1. What a filter set refuses, because no index serves it, is listed as such.
"""

import random
import statistics
import sys
import time

from benchmarks.filling import WANTED_RATIO, WANTED_SECONDS, measured_in_both

ROWS = 50
NEGLIGIBLE_SECONDS = 0.025  # below which a time of the small database counts as this
PAIRS = 200


def values_of_row(model, parameters, row):
    """Return what a row has where each parameter looks, by the parameter's name, as an address gives it."""
    from tests.filters.asking import text_of, values_of

    found = {}
    for name, parameter in parameters.items():
        value = next((one for one in values_of(parameter, row) if one not in ("", None)), None)
        if value is not None:
            found[name] = text_of(parameter, value)
    return found


def questions(seed):
    """Return what is asked, by label: the model and the parameters with values of a row that is neither old nor new."""
    from opsdb.filters import FILTERSETS, Size
    from opsdb.filters.parameters import ChoiceParameter, FlagParameter
    from tests.filters.asking import parameters_of

    asked, pairs = {}, []
    for model, filterset in FILTERSETS.items():
        rows = model._default_manager.order_by("pk")
        asked[f"{model.__name__}: nothing"] = model, {}
        row = rows[max(rows[:200].count() - 1, 0) // 2 :].first()
        if row is None:
            continue
        parameters = parameters_of(filterset)
        values = values_of_row(model, parameters, row)
        for name, parameter in parameters.items():
            texts = [values[name]] if name in values else []
            if isinstance(parameter, FlagParameter):
                texts = ["true", "false"]
            elif isinstance(parameter, ChoiceParameter):
                texts = [value for value, _label in parameter.extra["choices"] if value]
            for text in texts:
                shown = f"={text}" if len(texts) > 1 else ""
                asked[f"{model.__name__}: {name}{shown}"] = model, {name: text}
        for name in filterset.orders():
            asked[f"{model.__name__}: by {name}"] = model, {"ordering": name}
        if filterset.searched():
            asked[f"{model.__name__}: search"] = model, {"q": str(row.pk)}
        if filterset.size is not Size.SMALL:
            names = sorted(parameters)
            pairs += [(model, (one, other)) for one in names for other in names if one < other]
    # By name, so that both databases are asked the same.
    for model, names in random.Random(seed).sample(pairs, min(PAIRS, len(pairs))):  # noqa: S311
        rows = model._default_manager.order_by("pk")
        row = rows[max(rows[:200].count() - 1, 0) // 2 :].first()
        values = row and values_of_row(model, parameters_of(FILTERSETS[model]), row)
        if values and all(name in values for name in names):
            asked[f"{model.__name__}: {' and '.join(names)}"] = model, {name: values[name] for name in names}
    return asked


def seconds_of(model, asked, repeats):
    """Return the median of several times that the first rows take, after a first; None where they are refused."""
    from opsdb.filters import filterset_for

    taken = []
    for turn in range(repeats + 1):
        begun = time.perf_counter()
        filterset = filterset_for(model)(asked)
        if not filterset.is_valid():
            return None
        list(filterset.qs[:ROWS])
        if turn:
            taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def measure(files, options):
    """Return the seconds of each question with so many files, and the questions that are refused."""
    asked = {label: each for label, each in questions(options.seed).items() if options.only in label}
    return {label: seconds_of(*each, options.repeats) for label, each in asked.items()}


def add_options(parser):
    parser.add_argument("--seed", type=int, default=1, help="of the random pairs (%(default)s)")
    parser.add_argument("--only", default="", help="only questions whose name holds this")


def main():
    options, few, many = measured_in_both(__doc__, measure, repeats=3, add_options=add_options)
    print(f"{'milliseconds':<70} {options.files[0]:>12,} {options.files[1]:>12,}")
    missed = 0
    for label, seconds in many.items():
        before = few.get(label)
        if seconds is None:
            print(f"{label:<70} {'':>12} {'refused':>12}")
            continue
        bad = seconds > min(WANTED_SECONDS, WANTED_RATIO * max(before or 0, NEGLIGIBLE_SECONDS))
        missed += bad
        shown = f"{1000 * before:>12.1f}" if before is not None else f"{'-':>12}"
        print(f"{label:<70} {shown} {1000 * seconds:>12.1f}{'  !' if bad else ''}")
    refused = sum(seconds is None for seconds in many.values())
    print(
        f"{missed} of {len(many)} questions take above {1000 * WANTED_SECONDS:.0f} ms or {WANTED_RATIO:g} times as "
        f"long; {refused} are refused"
    )
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
