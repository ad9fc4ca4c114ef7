"""The models of the store: what there are, how two differ, and how one goes out and comes in."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from openflywheel.base.champion import PROMOTION, ROLLBACK, champions
from openflywheel.base.errors import StoreError, UnknownTask, suggest
from openflywheel.base.instruments import artefact
from openflywheel.base.nouns import Dataset, Model, Verdict
from openflywheel.base.settings import Settings
from openflywheel.customize._hosted.cancelling import cancel
from openflywheel.customize._hosted.run import Run
from openflywheel.serve._generators.champion import FORM
from openflywheel.store import Store
from openflywheel.store.lease import lease
from openflywheel.wheel.provenance import resolve
from openflywheel.wheel.tables import providers

State = Literal["serves", "served", "refused", "waits"]


class ListedModel(Struct, frozen=True, kw_only=True):
    """A model in a line. `state`: it serves, it served once, a check refused it, or it waits for evidence."""

    id: str
    name: str
    task: str
    method: str
    base: str
    state: State
    cost: float
    size: int
    at: float


class ShownModel(Struct, frozen=True, kw_only=True):
    """A model with what its artefact says, and what was decided about it, the newest first."""

    model: Model
    state: State
    manifest: dict[str, Any]
    size: int
    verdicts: list[Verdict]


class ModelDifference(Struct, frozen=True, kw_only=True):
    """From one model to another: facts and figures with both values, labels and rows that came and left."""

    before: ListedModel
    after: ListedModel
    facts: dict[str, tuple[Any, Any]]
    report: dict[str, tuple[float | None, float | None]]
    labels_came: list[str]
    labels_left: list[str]
    rows_came: int
    rows_left: int


def listed(store: Store) -> list[ListedModel]:
    """Every model of the store, the newest first."""
    verdicts = store.all(Verdict)
    return [_listed(store, model, verdicts) for model in reversed(store.all(Model))]


def shown(store: Store, name: str) -> ShownModel:
    """One model. Raises UnknownModel, and StoreError when its artefact is missing or was changed."""
    model, verdicts = _named(store, name), store.all(Verdict)
    place = store.path / model.uri
    return ShownModel(
        model=model,
        state=_state(model, verdicts),
        manifest=artefact.manifest(place),
        size=_size(place),
        verdicts=[v for v in reversed(verdicts) if v.about == model.id],
    )


def difference(store: Store, before: str, after: str) -> ModelDifference:
    """What changed from one model to another. Raises as `shown` does."""
    old, new = shown(store, before), shown(store, after)
    labels = [set(each.manifest.get("labels", ())) for each in (old, new)]
    rows = [_rows(store, each.model) for each in (old, new)]
    facts = [_facts(each) for each in (old, new)]
    verdicts = store.all(Verdict)
    return ModelDifference(
        before=_listed(store, old.model, verdicts),
        after=_listed(store, new.model, verdicts),
        facts=_changed(*facts),
        report=_changed(old.model.report, new.model.report),
        labels_came=sorted(labels[1] - labels[0]),
        labels_left=sorted(labels[0] - labels[1]),
        rows_came=len(rows[1] - rows[0]),
        rows_left=len(rows[0] - rows[1]),
    )


def exported(store: Store, name: str, to: Path) -> Model:
    """Copy a model's artefact to the folder `to`. Raises as `shown` does, StoreError when `to` exists."""
    model = _named(store, name)
    if to.exists():
        raise StoreError(f"{to} is there already; name a folder that is not")
    artefact.copied(store.path / model.uri, to)
    return model


def imported(settings: Settings, store: Store, source: Path, task: str = "") -> Model:
    """Take a model's folder into the store, where the next turn examines it like any other candidate.

    `task` is the one that it is for, by default the one that its manifest names. It is opened once, unless
    a generator is to serve it, and kept only when that can be done. Raises StoreError when a file is missing,
    was changed or may hold a program, or nobody can read it, UnknownTask, EncoderError, MissingExtra.
    """
    with artefact.aside(store.artefacts) as beside:
        said, place = artefact.taken(source, beside)
        task = task or str(said.get("task", ""))
        if task not in settings.tasks:
            choices = suggest(task, settings.tasks)
            raise UnknownTask(f"there is no task {task!r}; {choices}; choose with --task")
        model = _model(said, task, f"{store.artefacts.name}/{place.name}")
        if said.get("form") != FORM or settings.tasks[task].kind != "text":
            _open(replace(model, uri=place.relative_to(store.path).as_posix()), settings, store)
        artefact.moved(place, store.artefacts)
    store.append([model])
    return model


def _open(model: Model, settings: Settings, store: Store) -> None:
    # numpy takes .1 s: models are listed without it
    from openflywheel.base.instruments.encoder import open_encoder  # noqa: PLC0415
    from openflywheel.wheel.opening import Opener  # noqa: PLC0415

    try:
        Opener(settings, store, open_encoder(settings.encoder))(model)
    except StoreError as error:
        raise StoreError(f"the model is not taken in: {error}") from error


def _model(said: Mapping[str, Any], task: str, uri: str) -> Model:
    """The model that a manifest describes. Raises StoreError for one that describes none."""
    base, method = said.get("base", ""), str(said.get("method", "imported"))
    facts = {
        "name": f"{task}-{method.rpartition('.')[2]}",
        "task": task,
        "base": str(base.get("name", "")) if isinstance(base, dict) else str(base),
        "method": method,
        "taught_by": said.get("taught_by", ()),
        "uri": uri,
        "report": said.get("report", {}),
    }
    try:
        return msgspec.convert(facts, Model)
    except msgspec.ValidationError as error:
        raise StoreError(f"{artefact.MANIFEST} describes no model: {error}") from error


def jobs_cancelled(settings: Settings, store: Store, task: str = "") -> list[Run]:
    """Cancel the jobs at providers that are at work, of one task if it is named; what became of each.

    Raises WheelBusy while a turn runs, SettingsError, ProviderFailed, ProviderRefused.
    """
    with lease(store.path / "turn.lock", f"the wheel {settings.name!r}"):
        return cancel(store.path / "customize", providers(settings), task)


def _named(store: Store, name: str) -> Model:
    id = resolve(store, name)
    return store.get(Model, [id])[id]


def _listed(store: Store, model: Model, verdicts: Sequence[Verdict]) -> ListedModel:
    return ListedModel(
        id=model.id,
        name=model.name,
        task=model.task,
        method=model.method,
        base=model.base,
        state=_state(model, verdicts),
        cost=model.cost,
        size=_size(store.path / model.uri),
        at=model.at,
    )


def _state(model: Model, verdicts: Sequence[Verdict]) -> State:
    if champions(verdicts).get(model.task) == model.id:
        return "serves"
    said = [v for v in verdicts if v.about == model.id]
    if any(v.check in (PROMOTION, ROLLBACK) and v.passed == "yes" for v in said):
        return "served"
    return "refused" if any(v.passed == "no" for v in said) else "waits"


def _size(place: Path) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for path in place.rglob("*") if path.is_file())


def _rows(store: Store, model: Model) -> set[str]:
    taught = store.get(Dataset, list(model.taught_by))
    return {row for dataset in taught.values() for row in dataset.rows}


def _facts(shown: ShownModel) -> dict[str, Any]:
    apart = {"report", "labels", "files", "taught_by"}
    return {name: value for name, value in shown.manifest.items() if name not in apart}


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    names = sorted({*before, *after})
    both = {name: (before.get(name), after.get(name)) for name in names}
    return {name: pair for name, pair in both.items() if pair[0] != pair[1]}
