"""What a fine-tuning job tells of itself: the job, its steps, its checkpoints, its result file.

The figures are made up, the same ones every time: the loss falls as 2 / (1 + step / 10).
"""

from base64 import b64encode
from typing import Any

from openflywheel.serve._fake.job import Job
from openflywheel.serve._fake.order import told as ordered

ORGANISATION = "org-openflywheel"
KEPT = 3  # checkpoints: those of the last epochs


def told(job: Job, epochs: int) -> dict[str, Any]:
    """The `fine_tuning.job` object of the API."""
    over = job.status == "succeeded"
    return {
        **ordered(job.order, epochs),
        "id": job.id,
        "object": "fine_tuning.job",
        "created_at": int(job.created_at),
        "finished_at": None if job.finished_at is None else int(job.finished_at),
        "estimated_finish": None,
        "organization_id": ORGANISATION,
        "status": job.status,
        "error": job.error,
        "fine_tuned_model": job.model,
        "result_files": job.result_files,
        "trained_tokens": job.tokens if over else None,
        "user_provided_suffix": job.order.suffix,
    }


def train(job: Job, share: float) -> None:
    """Tell the steps up to a share of all."""
    while job.step < int(min(share, 1.0) * job.steps):
        job.step += 1
        figures = _figures(job, job.step)
        loss = figures["train_loss"]
        said = f"Step {job.step}/{job.steps}: training loss={loss:.2f}"
        job.say(said, total_steps=job.steps, **figures)


def checkpoints(job: Job, epochs: int) -> None:
    """Tell the models of the last epochs; the last one is the tuned model itself."""
    for epoch in range(max(1, epochs - KEPT + 1), epochs + 1):
        step = job.steps * epoch // epochs
        name = job.model if epoch == epochs else f"{job.model}:ckpt-step-{step}"
        job.checkpoints.append(
            {
                "object": "fine_tuning.job.checkpoint",
                "id": f"ftckpt_{job.id[6:]}{epoch}",
                "created_at": int(job.since),
                "fine_tuning_job_id": job.id,
                "fine_tuned_model_checkpoint": name,
                "step_number": step,
                "metrics": _figures(job, step),
            }
        )


def metrics(job: Job) -> bytes:
    """The result file: CSV in base64, as the API gives it."""
    rows = [_figures(job, step) for step in range(1, job.steps + 1)]
    lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    return b64encode("\n".join(lines).encode())


def _figures(job: Job, step: int) -> dict[str, Any]:
    loss = 2 / (1 + step / 10)
    figures = {"step": step, "train_loss": loss, "train_mean_token_accuracy": 1 - loss / 2}
    if job.order.validation_file:
        figures |= {"valid_loss": loss * 1.1, "valid_mean_token_accuracy": 1 - loss * 1.1 / 2}
    return figures
