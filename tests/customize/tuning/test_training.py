import sys

import lessons
import pytest
import sharing

from openflywheel.base.errors import MissingExtra, SettingsError
from openflywheel.customize._tuning.running import run
from openflywheel.customize._tuning.training import training
from openflywheel.customize._tuning.tuning import Tuning


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("training")
    lessons.able(folder / "base")
    return folder


def test_without_a_cluster_plans_are_run_here(shop):
    plan = sharing.plan(shop, steps=2)
    with training(plan.tuning, None) as here:
        result = here(plan, lambda facts: None)
        assert result == run(plan, lambda facts: None)
        assert here.elsewhere == 0.0  # this process did it


@pytest.mark.parametrize(
    ("tuning", "cluster", "said"),
    [
        ({"workers": 0}, None, "workers = 0; give 1 or more"),
        ({"workers": 2}, None, "workers = 2 needs a Ray cluster: write `engine: ray` under `wheel:`"),
        ({"fsdp": True}, None, "fsdp = true .*write `workers: 2` or more"),
        ({"fsdp": True, "workers": 2}, None, "needs a Ray cluster"),
        ({"fsdp": True, "workers": 2, "quantise": "4bit"}, "local", "quantise = '4bit' don't go together"),
        ({"workers": 3, "batch": 16}, "local", "batch = 16 .*3 parts .*multiple of 3"),
        ({"workers": 2, "accumulate": 4, "batch": 20}, "local", "batch = 20 .*8 parts"),
    ],
)
def test_what_workers_cannot_do_is_said_before_a_cluster_is_asked(tuning, cluster, said, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SettingsError, match=said), training(Tuning(**tuning), cluster):
        pass


def test_ray_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)  # as if it were not installed
    for name in ("customize._tuning.cluster", "base.instruments.cluster"):
        monkeypatch.delitem(sys.modules, f"openflywheel.{name}", raising=False)
    with pytest.raises(MissingExtra, match=r"openflywheel\[ray\]"), training(Tuning(), "local"):
        pass
    with training(Tuning(), None):
        pass
