"""A mixture of experts: a dense checkpoint upcycled, trained, and kept as one whole checkpoint."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from openflywheel.base.forms.generator import CHECKPOINT, FORM
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.checkpoint import loaded
from openflywheel.customize import Lesson
from openflywheel.customize._moe import building
from openflywheel.customize._moe.judging import shares, sizes
from openflywheel.customize._moe.mix import Mix
from openflywheel.customize._moe.settings import Job, Made
from openflywheel.customize._moe.upcycling import upcycled, widened
from openflywheel.customize._tuning.answering import Taught, told
from openflywheel.customize._tuning.checkpoint import tokenizer
from openflywheel.customize._tuning.running import Plan
from openflywheel.customize._tuning.telling import quiet
from openflywheel.customize._tuning.tuning import Progress

BALANCE = "router_aux_loss_coef"  # as TRL and transformers call it
COUNTED = 64  # rows by which it is told how evenly the experts work


def upcycle(job: Job, artefacts: Path, progress: Progress) -> Made:
    """Upcycle, train, keep; with `compare` a dense model of equal active parameters learns after it.

    Each of the two runs goes on after a kill, and isn't begun again where it had ended.
    """
    taught = job.planned(job.lesson)
    with sparse(taught.plan, job.mix) as plan:
        report = told(taught, job.run(plan, progress))
        if job.mix.compare:
            report |= _compared(job, taught.plan, progress)
        place, measured = _kept(artefacts, job.lesson, replace(taught, plan=plan), report)
    return Made(place, taught.plan.base.name, measured)


@contextmanager
def sparse(plan: Plan, mix: Mix) -> Iterator[Plan]:
    """The plan of a run of the mixture, whose checkpoint lies in the workspace until the block's end.

    It stays when the run fails; the same one is written again when the run goes on.
    """
    plan.workspace.mkdir(parents=True, exist_ok=True, mode=0o700)
    tuning = plan.tuning
    base = upcycled(plan.base, mix.size, mix.active, tuning.template, tuning.seed, plan.workspace)
    balance = {**plan.arguments, BALANCE: float(mix.balance)}
    yield replace(plan, base=base, build=building.experts, arguments=balance)
    shutil.rmtree(base.place)


@contextmanager
def dense(plan: Plan, times: int) -> Iterator[Plan]:
    """The same for a dense model whose MLPs are `times` as wide."""
    plan.workspace.mkdir(parents=True, exist_ok=True, mode=0o700)
    base = widened(plan.base, times, plan.tuning.template, plan.tuning.seed, plan.workspace)
    yield replace(plan, base=base, build=building.dense)
    shutil.rmtree(base.place)


def _compared(job: Job, plan: Plan, progress: Progress) -> dict[str, float]:
    """What the dense model reaches that has as many active parameters, of the same rows, steps and rate."""
    with dense(plan, job.mix.active) as other:
        figures = job.run(other, progress).figures
    names = [name for name in ("loss", "validation_loss", "trained") if name in figures]
    return {f"dense_{name}": figures[name] for name in names}


def _kept(
    artefacts: Path, lesson: Lesson, taught: Taught, report: dict[str, float]
) -> tuple[Path, dict[str, float]]:
    """The whole checkpoint, its adapter merged; and the report with what is measured of it."""
    plan = taught.plan
    with quiet():
        model = trained(plan)
        model.config.output_router_logits = False  # a model that answers has no use for them
        report = report | sizes(model)
        if taught.judged.kept:
            worked = shares(model, taught.judged.kept[:COUNTED])
            report |= {f"expert_{i}": float(share) for i, share in enumerate(worked.mean(axis=0))}
            report |= {"busiest": float(worked.max()), "idlest": float(worked.min())}
        whole = plan.folder / "whole"
        model.save_pretrained(whole)
        tokenizer(plan.base).save_pretrained(whole)
    said = {
        "form": FORM,
        "method": "moe.upcycle",
        "task": lesson.dataset.task,
        "kind": lesson.kind,
        "base": {"name": plan.base.name},
        "taught_by": [lesson.dataset.id],
        "report": report,
    }
    files = {f"{CHECKPOINT}/{path.name}": path for path in sorted(whole.iterdir())}
    return artefact.keep(artefacts, said, files=files), report


def trained(plan: Plan) -> Any:
    """The model as it was at its best, with its adapter merged where it has one."""
    if plan.tuning.rank:
        return loaded(Path(plan.base.place), plan.adapter)[0]
    return loaded(plan.adapter)[0]
