"""What a mixture will cost."""

from msgspec.structs import replace

from openflywheel.customize import Lesson
from openflywheel.customize._budget import Estimate
from openflywheel.customize._moe.domains import DOMAIN
from openflywheel.customize._moe.experts import sparse
from openflywheel.customize._moe.settings import Job
from openflywheel.customize._tuning.estimate import estimated


def cost(job: Job) -> Estimate:
    """By three steps of the mixture, or of one adapter on all domains; comparing costs as much again."""
    if job.mix.by == "upcycle":
        taught = job.planned(job.lesson)
        with sparse(taught.plan, job.mix) as plan:
            found = estimated(job.run, plan, taught.rows.tokens, taught.judged.tokens)
    else:  # each domain has so many steps; epochs over all rows are those of all domains
        taught = job.planned(job.lesson, times=_domains(job.lesson, job.mix.size))
        found = estimated(job.run, taught.plan, taught.rows.tokens, taught.judged.tokens)
    return _twice(found) if job.mix.compare else found


def _domains(lesson: Lesson, most: int) -> int:
    named = {row.meta.get(DOMAIN, "") for row in lesson.rows}
    return most if "" in named else len(named)


def _twice(found: Estimate) -> Estimate:
    return replace(
        found,
        tokens=2 * found.tokens,
        dollars=2 * found.dollars,
        cpu_seconds=2 * found.cpu_seconds,
        gpu_seconds=2 * found.gpu_seconds,
        note=f"twice {found.note}",
    )
