import os

import pytest

from openflywheel.base.errors import SettingsError

pytest.importorskip("ray", reason="the extra ray is not installed")

import ray

from openflywheel.base.instruments.cluster import QUIET, joined

pytestmark = pytest.mark.cluster  # Ray leaves threads in a process


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere", "local:x"])
def test_where_no_cluster_answers_it_says_how_to_start_one(address, monkeypatch):
    for name in QUIET:
        monkeypatch.delenv(name, raising=False)
    with (
        pytest.raises(
            SettingsError, match=f"engine: ray: no cluster answers at '{address}'.*ray start --head"
        ),
        joined(address),
    ):
        pass
    assert not ray.is_initialized()
    assert {name: os.environ[name] for name in QUIET} == QUIET
    for name in QUIET:
        monkeypatch.delenv(name)
