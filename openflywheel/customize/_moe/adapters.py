"""A mixture of adapters: one a domain, each trained apart on one dense checkpoint, and a router."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from openflywheel.base.errors import SettingsError
from openflywheel.base.forms.head import Encoder
from openflywheel.base.forms.mixture import FORM
from openflywheel.base.instruments import artefact
from openflywheel.base.nouns import Row
from openflywheel.customize import Lesson
from openflywheel.customize._moe.comparing import mixed, single
from openflywheel.customize._moe.domains import Routed, routed
from openflywheel.customize._moe.settings import Job, Made
from openflywheel.customize._tuning import adapter
from openflywheel.customize._tuning.answering import Taught, apart, told
from openflywheel.customize._tuning.checkpoint import parameters
from openflywheel.customize._tuning.estimate import planned as steps_of
from openflywheel.customize._tuning.running import Result
from openflywheel.customize._tuning.tuning import Progress

SUMS = ("rows", "tokens", "cut", "dropped", "steps", "trained")


def adapters(job: Job, artefacts: Path, progress: Progress, encoder: Encoder) -> Made:
    """Train one adapter a domain, keep them with their router; with `compare` one for all learns after."""
    if job.tuning.rank < 1:
        raise SettingsError(f"customize.moe: rank = {job.tuning.rank}; by: adapters needs one of at least 1")
    teaching, judging = apart(job.lesson)
    found = routed(teaching, judging, job.mix.size, job.lesson.dataset.task, encoder, job.tuning.seed)
    parts = [_of(job.lesson, teaching, judging, found, domain) for domain in found.router.labels]
    taught = [job.planned(part) for part in parts]
    results = [
        job.run(each.plan, tell) for each, tell in zip(taught, _telling(taught, progress), strict=True)
    ]
    report = _report(taught, results) | {"routed": found.right}
    report |= mixed(taught, judging, found, job.lesson.dataset.task)
    if job.mix.compare:
        report |= single(job, judging, len(parts), progress)
    place = _kept(artefacts, job.lesson, taught, found, report)
    return Made(place, taught[0].plan.base.name, report)


def _of(
    lesson: Lesson, teaching: Sequence[Row], judging: Sequence[Row], found: Routed, domain: str
) -> Lesson:
    """The lesson of one domain; it is judged by the rows that the router sends there."""
    return replace(
        lesson,
        rows=[row for row, each in zip(teaching, found.teaching, strict=True) if each == domain],
        validation=[row for row, each in zip(judging, found.judging, strict=True) if each == domain],
    )


def _telling(taught: Sequence[Taught], progress: Progress) -> Iterator[Progress]:
    """For each run a way to tell its progress as a part of the whole."""
    steps = [steps_of(each.plan, each.rows.tokens) for each in taught]
    for i in range(len(steps)):
        yield _part(progress, sum(steps[:i]), sum(steps))


def _part(progress: Progress, done: int, steps: int) -> Progress:
    return lambda facts: progress({**facts, "step": facts["step"] + done, "steps": float(steps)})


def _report(taught: Sequence[Taught], results: Sequence[Result]) -> dict[str, float]:
    """Sums over the domains, and the mean loss of a token."""
    reports = [told(each, result) for each, result in zip(taught, results, strict=True)]
    sums = {name: sum(report[name] for report in reports) for name in SUMS}
    dense = float(parameters(Path(taught[0].plan.base.place)))
    return {
        "loss": sum(report["loss"] * report["tokens"] for report in reports) / sums["tokens"],
        **sums,
        "domains": float(len(taught)),
        "parameters": dense + sums["trained"],
        "active_parameters": dense + max(report["trained"] for report in reports),
    }


def _kept(
    artefacts: Path, lesson: Lesson, taught: Sequence[Taught], found: Routed, report: dict[str, float]
) -> Path:
    plan = taught[0].plan
    names = [f"adapters/{i}" for i in range(len(taught))]
    files: dict[str, bytes | Path] = {}
    for name, each in zip(names, taught, strict=True):
        files |= adapter.files(name, each.plan.adapter, plan.base)
    said = {
        "form": FORM,
        "method": "moe.adapters",
        "task": lesson.dataset.task,
        "kind": lesson.kind,
        "base": plan.base.said,
        "taught_by": [lesson.dataset.id],
        "router": found.router.said,
        "adapters": names,
        "report": report,
        **({"template": plan.tuning.template} if plan.tuning.template else {}),
    }
    return artefact.keep(artefacts, said, found.router.tensors, files)
