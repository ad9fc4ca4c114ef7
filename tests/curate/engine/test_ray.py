"""The engine on a real cluster of two nodes on this machine: the same rows bit for bit, whatever dies."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
from engine_samples import killing, marks_of, opened, shards_of, table_of

from openflywheel.base.errors import SettingsError
from openflywheel.curate._batches import with_meta
from openflywheel.curate._engine.engine import Inline
from openflywheel.curate._engine.run import curate
from openflywheel.curate._engine.stats import Progress
from openflywheel.curate._engine.step import Step, StepFailed

pytest.importorskip("ray", reason="the extra ray is not installed")
pytest.importorskip("pandas", reason="the extra ray is not installed: ray[data] needs pandas")

import ray
from ray.cluster_utils import Cluster

from openflywheel.curate._engine.ray import Ray

pytestmark = [
    pytest.mark.slow,
    pytest.mark.cluster,
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings(
        "ignore::DeprecationWarning:ray.data.context"
    ),  # Ray's own, of its own settings
]
HERE = Path(__file__).parent
WORDS = ["red", "green", "blue", "black", "white"]
TEXTS = [" ".join(WORDS[(n * k) % 5] for k in range(n % 7)) for n in range(200)]
RECIPE = ("lower", "short", "same", "halves", "alike", "roles")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A head and one more node, one CPU each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(HERE))  # the workers import the steps by name
        patch.setenv("RAY_agent_register_timeout_ms", "240000")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        started = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        try:
            started.add_node(num_cpus=1)
            yield started
        finally:
            ray.shutdown()
            started.shutdown()
    assert not nodes()


@pytest.fixture(scope="module")
def engine(cluster: Cluster) -> Iterator[Ray]:
    with Ray(cluster.address) as connected:
        yield connected
    assert not ray.is_initialized()


def nodes() -> list[str]:
    """Processes of Ray on this machine, by their command lines."""
    found = subprocess.run(["pgrep", "-af", "raylet|gcs_server"], capture_output=True, text=True, check=False)
    return found.stdout.splitlines()


# ---- steps, which workers import from this file


def slow(batch: pa.Table, *, folder: str) -> pa.Table:
    """Takes a while, and leaves the name of the node that it worked on."""
    (Path(folder) / ray.get_runtime_context().get_node_id()).touch()
    time.sleep(0.5)
    return batch


def patient(seconds: int) -> None:
    """Works for a while, as jobs do, in many short calls: Ray interrupts a task between two of them."""
    for _ in range(seconds * 20):
        time.sleep(0.05)


def placed(batch: pa.Table) -> pa.Table:
    """Says in which actor of which process it worked."""
    actor = ray.get_runtime_context().get_actor_id() or "none"
    return with_meta(batch, "actor", pa.array([actor] * batch.num_rows))


def _with(step: Step) -> list[Step]:
    return [*opened("lower"), step]


def in_memory(names: tuple[str, ...], work: Path) -> dict[str, dict[str, object]]:
    shards = shards_of(table_of(TEXTS), 20)
    return marks_of(curate(shards, partial(opened, *names), recipe="r", engine=Inline(), work=work))


# ---- tests


def test_rows_are_the_same_bit_for_bit(engine: Ray, tmp_path: Path) -> None:
    shards = shards_of(table_of(TEXTS), 20)
    tables = []
    for n, where in enumerate((engine, Inline())):
        with curate(
            shards, partial(opened, *RECIPE), recipe="r", engine=where, work=tmp_path / str(n)
        ) as result:
            tables.append(pa.concat_tables(result.tables()))
    assert tables[0].equals(tables[1], check_metadata=True)
    assert tables[0]["drop"].null_count < tables[0].num_rows


def test_both_nodes_work(engine: Ray, tmp_path: Path) -> None:
    shards = shards_of(table_of(TEXTS), 20)
    steps = partial(_with, Step("slow", partial(slow, folder=str(tmp_path))))
    with curate(shards, steps, recipe="r", engine=engine, work=tmp_path / "work") as result:
        assert result.rows == len(TEXTS)
    assert len([path for path in tmp_path.iterdir() if path.is_file()]) == 2


def test_step_with_a_model_works_in_actors(engine: Ray, tmp_path: Path) -> None:
    shards = shards_of(table_of(TEXTS), 20)
    for model in (True, False):
        steps = partial(_with, Step("placed", placed, model=model))
        done = marks_of(curate(shards, steps, recipe=str(model), engine=engine, work=tmp_path))
        actors = Counter(marks["meta.actor"] for marks in done.values())
        assert ("none" in actors) is not model
        assert len(actors) <= 2  # they are kept from shard to shard


def test_failing_step_is_named(engine: Ray, tmp_path: Path) -> None:
    shards = shards_of(table_of(TEXTS), 50)
    with pytest.raises(StepFailed, match="raising failed on shard .*: ZeroDivisionError: no such number"):
        curate(shards, partial(opened, "lower", "raising"), recipe="r", engine=engine, work=tmp_path)


@pytest.mark.fault
@pytest.mark.parametrize("model", [False, True])
def test_job_whose_worker_is_killed_once_is_done_again(engine: Ray, tmp_path: Path, model: bool) -> None:
    step = partial(killing, word=TEXTS[33], once=str(tmp_path / "once"))
    steps = partial(_with, Step("killing", step, model=model))
    shards = shards_of(table_of(TEXTS), 20)
    done = marks_of(curate(shards, steps, recipe="r", engine=engine, work=tmp_path / "work"))
    assert (tmp_path / "once").exists()
    assert done == in_memory(("lower",), tmp_path / "memory")


@pytest.mark.fault
@pytest.mark.parametrize("model", [False, True])
def test_job_that_kills_every_worker_is_given_up(engine: Ray, tmp_path: Path, model: bool) -> None:
    steps = partial(_with, Step("killing", partial(killing, word=TEXTS[33]), model=model))
    with pytest.raises(StepFailed, match=r"shard \w+ killed its worker, or lost its node, 3 times"):
        curate(shards_of(table_of(TEXTS), 50), steps, recipe="r", engine=engine, work=tmp_path)


@pytest.mark.fault
def test_node_killed_in_mid_run(cluster: Cluster, engine: Ray, tmp_path: Path) -> None:
    third = cluster.add_node(num_cpus=2)
    name = third.node_id
    worked = tmp_path / "worked"
    worked.mkdir()

    def kill(progress: Progress) -> None:
        if third in cluster.worker_nodes and (worked / name).exists() and progress.done < progress.total:
            cluster.remove_node(third, allow_graceful=False)  # SIGKILL to its raylet; its workers go with it

    steps = partial(_slow_before, RECIPE, str(worked))
    shards = shards_of(table_of(TEXTS), 10)
    done = marks_of(curate(shards, steps, recipe="r", engine=engine, work=tmp_path / "work", progress=kill))
    assert third not in cluster.worker_nodes
    assert done == in_memory(RECIPE, tmp_path / "memory")


def _slow_before(names: tuple[str, ...], folder: str) -> list[Step]:
    return [Step("slow", partial(slow, folder=folder)), *opened(*names)]


def test_no_jobs_give_nothing(engine: Ray) -> None:
    assert list(engine.each(len, [])) == []


def test_results_come_while_jobs_run(engine: Ray) -> None:
    answers = engine.each(time.sleep, [0, 0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0])
    started = time.monotonic()
    assert next(iter(answers)) is None
    first = time.monotonic() - started
    list(answers)
    assert first < time.monotonic() - started - 2


def test_iterator_that_is_closed_stops_the_rest(engine: Ray) -> None:
    answers = engine.each(patient, [0, *([600] * 4)])  # longer than this test may take
    next(iter(answers))
    answers.close()  # type: ignore[attr-defined]
    assert list(engine.each(len, ["xy"])) == [2]  # the cluster is free for others


def test_program_that_is_in_a_cluster_stays_there(engine: Ray) -> None:
    with Ray("auto") as inner:
        assert list(inner.each(len, ["xyz"])) == [3]
    assert ray.is_initialized()


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere", "local:x"])
def test_no_cluster_at_an_address(address: str) -> None:
    with pytest.raises(SettingsError, match=f"no cluster answers at '{address}'.*ray start --head"):
        Ray(address)


SCRIPT = """
import time
from openflywheel.curate._engine.ray import Ray
with Ray() as engine:
    for answer in engine.each(time.sleep, [0.0] + [30.0] * 4):
        print("one is done", flush=True)
"""


@pytest.mark.fault
def test_interrupted_program_leaves_nothing_running(tmp_path: Path) -> None:
    before = set(nodes())
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    environment = {k: v for k, v in os.environ.items() if k != "RAY_AUTH_MODE"}  # with a token, as by default
    with subprocess.Popen(
        [sys.executable, str(script)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout
        assert program.stdout.readline() == "one is done\n"
        assert set(nodes()) > before
        program.send_signal(signal.SIGINT)
        assert program.wait(60) != 0
    assert set(nodes()) == before
