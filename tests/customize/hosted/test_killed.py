"""SIGKILL at any point of a run: one job at the provider, one model in the end."""

import signal
import subprocess
import sys
import time

import pytest
from hosted_lessons import KEY, SLOW, lesson_of, rows_of

from openflywheel.base.instruments.account import Account
from openflywheel.base.nouns import Model
from openflywheel.customize._hosted.run import Book
from openflywheel.customize.hosted import hosted
from openflywheel.serve.providers import Provider

# The trainer in a process of its own, which says when it is done.
CHILD = """
import sys
from pathlib import Path
sys.path.append(sys.argv[3])
from hosted_lessons import KEY, lesson_of, rows_of
from openflywheel.customize.hosted import hosted
from openflywheel.serve.providers import Provider

folder = Path(sys.argv[2])
gave = list(hosted(
    lesson_of(rows_of(12)), provider="far", base="fake-small", wait=60.0, price=25.0,
    providers={"far": Provider(url=sys.argv[1], key=KEY)}, artefacts=folder / "models",
    workspace=folder / "customize", seed=0, progress=lambda figures: None,
))
print("done", gave, flush=True)
"""
HELD = {"latency": 3600}
POINTS = {
    "the first look at the files": [{"path": "/files", "nth": 1, **HELD}],
    "the answer to the upload": [{"path": "/files", "nth": 2, **HELD}],
    "the look for the job": [{"path": "/fine_tuning/jobs", "nth": 1, **HELD}],
    "the answer to the order": [{"path": "/fine_tuning/jobs", "model": "fake-small", **HELD}],
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "models").mkdir()
    return tmp_path


@pytest.fixture
def far(fake):
    return Account("far", Provider(url=fake.url, key=KEY))


def kill_when(fake, folder, path, there):
    """Start the trainer, and kill it as soon as `there` says so."""
    command = [sys.executable, "-c", CHILD, fake.url, str(folder), path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        while not there():
            assert child.poll() is None, child.communicate()
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
        said, _ = child.communicate()
    assert child.returncode == -signal.SIGKILL
    assert b"done" not in said


def teach(fake, folder):
    handed = {
        "providers": {"far": Provider(url=fake.url, key=KEY)}, "artefacts": folder / "models",
        "workspace": folder / "customize", "seed": 0, "progress": lambda figures: None,
    }  # fmt: skip
    chosen = {"provider": "far", "base": "fake-small", "price": 25.0, "wait": 0.0}
    return list(hosted(lesson_of(rows_of(12)), **chosen, **handed))


def jobs(far):
    return far.get("/fine_tuning/jobs")["data"]


@pytest.mark.fault
@pytest.mark.parametrize("point", POINTS)
def test_killed_before_an_answer_there_is_one_job_all_the_same(fake, far, folder, request, point):
    rules = POINTS[point]
    fake.script({**SLOW, "rules": rules})
    asked = 4 if "order" in point else 3 if "job" in point else 2 if "upload" in point else 1
    path = str(request.config.rootpath / "tests" / "customize")
    kill_when(fake, folder, path, lambda: len(fake.requests()) >= asked)
    before = len([seen for seen in fake.requests() if (seen.method, seen.path[-4:]) == ("POST", "jobs")])
    fake.script({})
    assert len(jobs(far)) == before == (asked == 4)
    [_, model] = teach(fake, folder)
    assert isinstance(model, Model)
    assert len(jobs(far)) == 1
    paid = [cost.trained_tokens for cost in fake.bill().models if cost.trained_tokens]
    assert paid == [model.report["tokens"]]


@pytest.mark.fault
def test_killed_while_the_job_runs_the_next_process_takes_it_up(fake, far, folder, request):
    fake.script(SLOW)
    path = str(request.config.rootpath / "tests" / "customize")
    kill_when(fake, folder, path, lambda: any("ftjob" in seen.path for seen in fake.requests()))
    [run] = Book(folder / "customize").open()
    assert run.stage == "created"
    fake.script({})
    [_, model] = teach(fake, folder)
    assert model.taught_by == (run.dataset,)
    assert [job["id"] for job in jobs(far)] == [run.job]


@pytest.mark.fault
def test_a_store_that_was_lost_still_finds_the_job(fake, far, folder, request):
    fake.script(SLOW)
    path = str(request.config.rootpath / "tests" / "customize")
    kill_when(fake, folder, path, lambda: any("ftjob" in seen.path for seen in fake.requests()))
    for file in (folder / "customize" / "hosted").iterdir():
        file.unlink()
    fake.script({})
    assert isinstance(teach(fake, folder)[-1], Model)
    assert len(jobs(far)) == 1
