"""A run that is shared by two processes, by torch.distributed on this machine."""

import json
import multiprocessing
import os
import socket
import sys
from pathlib import Path

import lessons


def plan(folder: Path, **tuning):
    """A plan of ten steps on the checkpoint "base" of a folder, judged by an odd number of rows."""
    from openflywheel.base.instruments.template import Template
    from openflywheel.customize._tuning import chats, checkpoint, running, sft

    base = checkpoint.found("base", folder)
    template = Template(checkpoint.tokenizer(base))
    found = chats.examples(lessons.rows(lessons.ANSWERS, range(4)), lessons.TASK, template, 64).kept
    settings = {"rank": 4, "rate": 2e-2, "batch": 4, "steps": 10, "most_tokens": 64, **tuning}
    return running.Plan(
        build=sft.build,
        base=base,
        tuning=running.Tuning(**settings),
        rows=found,
        validation=found[:3],
        workspace=folder / "work",
    )


def _part(plan, rank: int, port: int) -> None:
    from openflywheel.customize._tuning import running

    rank_ = str(rank)
    os.environ |= {"RANK": rank_, "LOCAL_RANK": rank_, "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    told: list[dict[str, float]] = []
    result = running.run(plan, told.append)
    said = {"losses": [facts["loss"] for facts in told], "figures": result.figures, "step": result.step}
    print(json.dumps({"rank": rank, "seconds": result.seconds, **said}), flush=True)


def _port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def forget(plan) -> None:
    """Make a run that has ended one that was killed after its last checkpoint but one."""
    from openflywheel.customize._tuning import resuming, running

    (plan.folder / running.RESULT).unlink()
    (resuming.newest(plan.folder) / resuming.WHOLE).unlink()


def _share(plan) -> None:
    fork, port = multiprocessing.get_context("fork"), _port()
    parts = [fork.Process(target=_part, args=(plan, rank, port)) for rank in range(2)]
    for part in parts:
        part.start()
    for part in parts:
        part.join()
    if any(part.exitcode for part in parts):
        sys.exit(1)


if __name__ == "__main__":  # imports what a run needs once, and forks before anything has threads
    os.environ |= {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    for fsdp in (False, True):
        shared = plan(Path(sys.argv[1]), workers=2, fsdp=fsdp)
        _share(shared)
        weights = shared.adapter / "adapter_model.safetensors"
        ended = weights.read_bytes()
        if fsdp:
            forget(shared)
            _share(shared)
            print(json.dumps({"same": weights.read_bytes() == ended}))
