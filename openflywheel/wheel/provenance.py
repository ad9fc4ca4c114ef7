"""Why a model serves: the chain from its promotion back to what people said, and to the gaps that asked."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches

from msgspec import Struct

from openflywheel.base.champion import PROMOTION, ROLLBACK, champions
from openflywheel.base.errors import UnknownModel, suggest
from openflywheel.base.nouns import Dataset, Exchange, Gap, Model, Record, Row, Signal, Verdict
from openflywheel.base.quarantine import quarantined
from openflywheel.store import Store

NEWEST = 5  # models that are offered when a name is like none of them
SAMPLES = 3  # rows of each dataset that are followed back to the conversations they came from


class Origin(Struct, frozen=True, kw_only=True):
    """Where one row came from: its records, the exchange behind them, what was said, which gaps asked."""

    row: Row
    records: list[Record]
    exchange: Exchange | None
    signals: list[Signal]
    gaps: list[Gap]


class Lineage(Struct, frozen=True, kw_only=True):
    """A dataset by who labelled it and where it came from, with some rows followed back."""

    dataset: Dataset
    size: int
    labelled_by: dict[str, int]
    sources: dict[str, int]
    samples: list[Origin]


class Trace(Struct, frozen=True, kw_only=True):
    """The provenance of a model: decisions and checks, the newest first; what taught it, what judged it.

    `quarantined` counts signals about its task that do not count, by the rule that refused them.
    """

    model: Model
    serves: bool
    decisions: list[Verdict]
    checks: list[Verdict]
    taught_by: list[Lineage]
    judged_on: list[Lineage]
    quarantined: dict[str, int]


def resolve(store: Store, name: str) -> str:
    """Id of the model that is meant by an id, an unambiguous beginning of one, or a task (its champion).

    Raises UnknownModel.
    """
    models = {m.id: m for m in store.all(Model)}
    serving = champions(store.all(Verdict))
    if name in models or name in serving:
        return serving.get(name, name)
    found = [id for id in models if name and id.startswith(name)]
    if len(found) == 1:
        return found[0]
    raise UnknownModel(_unknown(store, name, found, models, serving))


def _unknown(
    store: Store, name: str, found: Sequence[str], models: Mapping[str, Model], serving: Mapping[str, str]
) -> str:
    if not models:
        return f"there is no model in {store.path} yet; teach one with: flywheel turn"
    if found:
        return f"{name!r} is the beginning of {len(found)} models: {', '.join(sorted(found))}"
    waiting = [m.id for m in models.values() if m.task == name]
    if waiting:
        return f"task {name!r} has no champion yet; its newest model is {waiting[-1]}"
    near = get_close_matches(name, [*serving, *models], n=1)
    return f"there is no model {name!r}; {suggest(name, near or [*serving, *list(models)[-NEWEST:]])}"


def trace(store: Store, model: str) -> Trace:
    """The chain behind a model, by its id. Raises UnknownModel."""
    found = store.get(Model, [model])
    if model not in found:
        raise UnknownModel(f"there is no model {model!r} in {store.path}")
    verdicts = store.all(Verdict)
    about = [v for v in reversed(verdicts) if v.about == model]
    gaps = store.all(Gap)
    return Trace(
        model=found[model],
        serves=model in champions(verdicts).values(),
        decisions=[v for v in about if v.check in (PROMOTION, ROLLBACK)],
        checks=[v for v in about if v.check not in (PROMOTION, ROLLBACK)],
        taught_by=[_lineage(store, d, gaps) for d in store.get(Dataset, found[model].taught_by).values()],
        judged_on=[_lineage(store, d, gaps) for d in _judged_on(store, found[model], about)],
        quarantined=quarantined(v for v in verdicts if v.task == found[model].task),
    )


def _judged_on(store: Store, model: Model, about: Sequence[Verdict]) -> list[Dataset]:
    """The holdout that was the newest when the model was checked first."""
    if not about:
        return []
    holdouts = [d for d in store.all(Dataset) if d.role == "holdout" and d.task == model.task]
    return [d for d in holdouts if d.at <= about[-1].at][-1:]


def _lineage(store: Store, dataset: Dataset, gaps: Sequence[Gap]) -> Lineage:
    rows = list(store.get(Row, dataset.rows).values())
    return Lineage(
        dataset=dataset,
        size=len(dataset.rows),
        labelled_by=dict(Counter(r.labelled_by or "nobody" for r in rows).most_common()),
        sources=dict(Counter(r.source for r in rows).most_common()),
        samples=list(_origins(store, _telling(rows), gaps)),
    )


def _telling(rows: Iterable[Row]) -> list[Row]:
    """The newest rows, those from conversations first: they have the longest story."""
    return sorted(rows, key=lambda r: (r.source == "traffic", r.at), reverse=True)[:SAMPLES]


def _origins(store: Store, rows: Sequence[Row], gaps: Sequence[Gap]) -> Iterator[Origin]:
    for row in rows:
        records = list(store.get(Record, row.parents).values())
        before = [parent for record in records for parent in record.parents]
        exchange = next(iter(store.get(Exchange, before).values()), None)
        said = store.heard([exchange.id]).get(exchange.id, []) if exchange else []
        asked = [g for g in gaps if exchange and exchange.id in g.evidence]
        yield Origin(row=row, records=records, exchange=exchange, signals=said, gaps=asked)
