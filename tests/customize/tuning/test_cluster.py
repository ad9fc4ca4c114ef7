"""Plans on a real cluster of two nodes on this machine, a CPU each."""

import os
import signal
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import lessons
import pytest
from msgspec.structs import replace

from openflywheel.base.errors import SettingsError
from openflywheel.base.forms import generator
from openflywheel.customize.lora import lora

pytest.importorskip("ray", reason="the extra ray is not installed")
pytest.importorskip("pandas", reason="the extra ray is not installed: ray[train] needs pandas")

import ray
import sharing
from ray.cluster_utils import Cluster

from openflywheel.base.instruments.cluster import joined
from openflywheel.customize._tuning import cluster as module
from openflywheel.customize._tuning.training import training

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.slow,
    # peft uses an old name of transformers when it opens an adapter.
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
]
WORKER = b"ray::RayTrainWorker"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A head and one more node."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")  # Ray reads the mode once, when it is imported
        patch.setenv("RAY_agent_register_timeout_ms", "240000")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        started = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        try:
            started.add_node(num_cpus=1)
            yield started
        finally:
            ray.shutdown()
            started.shutdown()


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    lessons.able(folder / "base")
    return folder


@pytest.fixture
def tries(monkeypatch):
    """One entry for each time that a run was begun or gone on with."""
    begun, tried = [], module.Workers._tried

    def counted(self, plan, progress):
        begun.append(plan)
        return tried(self, plan, progress)

    monkeypatch.setattr(module.Workers, "_tried", counted)
    return begun


def workers_of(cluster: Cluster) -> list[int]:
    """The processes of this cluster that train; others may run on this machine."""
    raylets = {node.all_processes["raylet"][0].process.pid for node in cluster.list_all_nodes()}
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            name = (place / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent in raylets and name.startswith(WORKER):
            found.append(int(place.name))
    return sorted(found)


def losses(told):
    return {facts["step"]: facts["loss"] for facts in told}


@pytest.mark.fault
def test_two_workers_teach_what_one_process_does_though_one_is_killed(cluster, shop, tries):
    shared, alone, killed = [], [], []

    def kill(facts):
        shared.append(facts)
        if not killed and facts["step"] > 10:
            killed.append(workers_of(cluster)[-1])
            os.kill(killed[0], signal.SIGKILL)

    settings = {**lessons.FAST, "steps": 60, **lessons.folders(shop)}
    lesson = lessons.lesson(validation=1)
    model = lora(lesson, **settings, workers=2, cluster=cluster.address, progress=kill)
    one = lora(lesson, **settings, progress=alone.append)
    assert (len(killed), len(tries)) == (1, 2)
    # Sums in another order drift apart: by 3e-6 of the loss after 10 steps, by 3e-4 after 60, when it is .04
    assert losses(shared[:5]) == pytest.approx(losses(alone[:5]), rel=1e-4)
    for name in ("loss", "validation_loss"):
        assert model.report[name] == pytest.approx(one.report[name], abs=0.01)
    assert model.report["loss"] < 0.1 < shared[0]["loss"]
    assert model.report.keys() == one.report.keys()
    chats = [[{"role": "user", "content": text}] for text in lessons.ANSWERS]
    opened = generator.opened(shop / model.uri, folder=shop)
    assert opened.write(chats, most_tokens=16) == list(lessons.ANSWERS.values())


def test_an_error_of_ours_comes_as_it_was_raised_and_is_not_tried_again(cluster, shop, tries):
    plan = sharing.plan(shop)
    gone = replace(plan, base=replace(plan.base, place=str(shop / "elsewhere")))
    with (
        training(plan.tuning, cluster.address) as run,
        pytest.raises(SettingsError, match="does not see .*/elsewhere: .*same paths"),
    ):
        run(gone, lambda facts: None)
    assert len(tries) == 1
    assert not workers_of(cluster)


def test_more_workers_than_this_machine_has(cluster, shop, monkeypatch):
    with joined(cluster.address):
        monkeypatch.setattr(module, "joined", nullcontext)
        with (
            pytest.raises(SettingsError, match="workers = 3: this machine has 2 CPUs; write `workers: 2`"),
            training(sharing.plan(shop, batch=6, workers=3).tuning, "local"),
        ):
            pass
