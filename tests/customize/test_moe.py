import json

import lessons
import pytest
import torch
from msgspec.structs import replace
from safetensors.torch import load_file

from openflywheel.base import forms
from openflywheel.base.door import check, describe
from openflywheel.base.errors import SettingsError, UnknownSetting
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.customize import teaches
from openflywheel.customize._moe.experts import dense, sparse, trained
from openflywheel.customize._moe.mix import Mix
from openflywheel.customize._moe.settings import Job
from openflywheel.customize._tuning.running import run
from openflywheel.customize._tuning.tuning import Tuning
from openflywheel.customize.moe import KINDS, estimate, moe

# peft uses an old name of transformers when it opens an adapter.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

ENCODER = NgramEncoder()
CHATS = [[{"role": "user", "content": text}] for text in lessons.ANSWERS]
DOMAINS = dict(zip(lessons.ANSWERS, ("order", "order", "account"), strict=True))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    lessons.able(folder / "base", "qwen3")
    return folder


def taught(shop, lesson=None, **settings):
    """A model and what was told meanwhile."""
    told = []
    given = {**lessons.FAST, **lessons.folders(shop), "encoder": ENCODER, "progress": told.append, **settings}
    return moe(lesson or lessons.lesson(validation=1), **given), told


def opened(shop, model):
    return forms.opened(shop / model.uri, {"encoder": ENCODER, "folder": shop})


def named(domains=DOMAINS, **more):
    """A lesson whose rows name their domain."""
    lesson = lessons.lesson(**more)
    rows = [replace(row, meta={"domain": domains[row.text]}) for row in lesson.rows]
    return replace(lesson, rows=rows)


@pytest.fixture(scope="module")
def upcycled(shop):
    return taught(shop, steps=30)


def test_an_upcycled_mixture_writes_what_it_was_taught(shop, upcycled):
    model, told = upcycled
    assert (model.name, model.base, model.method, model.task) == ("shop-moe", "base", "moe.upcycle", "shop")
    assert opened(shop, model).write(CHATS, most_tokens=16) == list(lessons.ANSWERS.values())
    assert told[-1]["step"] == told[-1]["steps"] == 30
    assert told[-1]["loss"] < 0.1 * told[0]["loss"]


def test_its_checkpoint_is_whole_and_of_the_sparse_kind(shop, upcycled):
    place = shop / upcycled[0].uri
    config = json.loads((place / "checkpoint/config.json").read_bytes())
    assert (config["model_type"], config["num_local_experts"]) == ("qwen3_moe", 4)
    assert not config["output_router_logits"]
    tensors = load_file(place / "checkpoint/model.safetensors")
    assert not [name for name in tensors if "lora" in name]
    said = artefact.manifest(place)
    assert (said["form"], said["base"], said["kind"]) == ("generator", {"name": "base"}, "text")
    assert not any(name.startswith("adapter") for name in said["files"])


def test_its_report_says_how_big_it_is_and_how_evenly_experts_work(upcycled):
    report = upcycled[0].report
    assert report["perplexity"] == pytest.approx(2.718281828 ** report["validation_loss"])
    assert report["parameters"] - report["active_parameters"] == 2 * 2 * 3 * 64 * 128
    assert sum(report[f"expert_{i}"] for i in range(4)) == pytest.approx(1)
    assert 0 <= report["idlest"] <= report["expert_0"] <= report["busiest"] <= 0.5
    assert (report["rows"], report["steps"]) == (24, 30)
    assert "dense_loss" not in report


@pytest.fixture(scope="module")
def brief(shop):
    """A run of one step."""
    return taught(shop, steps=1)


def test_compared_with_a_dense_model_of_equal_active_parameters(shop, brief):
    model, told = taught(shop, steps=1, compare=True)
    assert {"dense_loss", "dense_validation_loss", "dense_trained"} <= model.report.keys()
    assert [facts["step"] for facts in told] == [1]  # the dense one's: the mixture's run had ended before
    weights = [
        artefact.manifest(shop / m.uri)["files"]["checkpoint/model.safetensors"] for m in (model, brief[0])
    ]
    assert weights[0] == weights[1]  # the same lesson makes the same mixture


def test_runs_that_ended_and_were_not_stored_cost_no_step_again(shop, brief):
    first, _ = taught(shop, steps=1, compare=True)
    again, told = taught(shop, steps=1, compare=True)
    assert (again.id, again.uri, told) == (first.id, first.uri, [])


def test_the_balance_counts_in_the_loss(shop, brief):
    """Evenly shared work costs 1 for each of the two experts that a token has, and none can be more even."""
    _, told = taught(shop, steps=1, balance=1)
    assert told[0]["loss"] - brief[1][0]["loss"] >= (1 - 0.02) * 2 - 1e-3


@pytest.mark.parametrize("rank", [4, 0])
def test_the_router_and_the_experts_learn_and_nothing_else(shop, tmp_path, rank):
    job = _job(shop, tmp_path, rank)
    with sparse(job.planned(job.lesson).plan, job.mix) as plan:
        before = load_file(f"{plan.base.place}/model.safetensors")
        run(plan, lambda facts: None)
        model = trained(plan)
        model.save_pretrained(tmp_path / "after")
    after = load_file(tmp_path / "after/model.safetensors")
    changed = {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}
    assert changed == {name for name in before if ".mlp." in name}
    assert any("mlp.gate.weight" in name for name in changed)


@pytest.mark.parametrize("rank", [4, 0])
def test_of_a_dense_model_the_same_parts_learn(shop, tmp_path, rank):
    job = _job(shop, tmp_path, rank)
    with dense(job.planned(job.lesson).plan, 2) as plan:
        before = load_file(f"{plan.base.place}/model.safetensors")
        run(plan, lambda facts: None)
        after = trained(plan).state_dict()
    assert {n for n, t in before.items() if not torch.equal(t, after[n])} == {
        n for n in before if ".mlp." in n
    }


def _job(shop, workspace, rank):
    tuning = Tuning(rank=rank, rate=1e-2, steps=2, batch=8, seed=1)
    return Job(lessons.lesson(validation=1), "base", Mix(), tuning, shop, workspace)


@pytest.mark.slow
def test_a_run_that_failed_goes_on_where_it_was(shop):
    class Killed(Exception):
        pass

    def kill(facts):
        if facts["step"] == 3:
            raise Killed

    with pytest.raises(Killed):
        taught(shop, steps=4, progress=kill)
    _, told = taught(shop, steps=4)
    assert told[0]["step"] == 3  # its newest checkpoint is of step 2


@pytest.fixture(scope="module")
def adapted(shop):
    return taught(shop, named(validation=1), by="adapters", steps=20, patience=10)


@pytest.mark.slow
def test_a_mixture_of_adapters_writes_what_each_was_taught(shop, adapted):
    model, told = adapted
    assert model.method == "moe.adapters"
    mixture = opened(shop, model)
    assert mixture.domains(CHATS) == list(DOMAINS.values())
    assert mixture.write(CHATS, most_tokens=16) == list(lessons.ANSWERS.values())
    assert (told[-1]["step"], told[-1]["steps"]) == (40, 40)
    assert [facts["step"] for facts in told] == sorted(facts["step"] for facts in told)


@pytest.mark.slow
def test_its_manifest_names_the_router_and_the_adapters(shop, adapted):
    said = artefact.manifest(shop / adapted[0].uri)
    assert (said["form"], said["router"]["labels"]) == ("mixture", ["account", "order"])
    assert said["adapters"] == ["adapters/0", "adapters/1"]
    assert said["base"]["path"] == "base"
    assert {f"adapters/{i}/adapter_model.safetensors" for i in range(2)} <= said["files"].keys()


@pytest.mark.slow
def test_its_report_sums_the_domains_up(adapted):
    report = adapted[0].report
    assert (report["domains"], report["rows"], report["steps"]) == (2, 24, 40)
    assert report["routed"] == 1
    assert report["parameters"] - report["active_parameters"] == report["trained"] / 2
    assert report["validation_loss"] < 0.5
    assert report["perplexity"] == pytest.approx(2.718281828 ** report["validation_loss"])


@pytest.mark.slow
def test_clusters_stand_in_for_domains_and_one_adapter_is_compared(shop):
    model, told = taught(shop, by="adapters", steps=1, size=2, compare=True)
    assert opened(shop, model).router.labels == ("cluster-0", "cluster-1")
    assert {"single_loss", "single_validation_loss"} <= model.report.keys()
    assert model.report["single_trained"] == model.report["trained"] / 2
    assert [facts["step"] for facts in told] == [1, 2, 1, 2]
    again, told = taught(shop, by="adapters", steps=1, size=2, compare=True)
    assert (again.id, again.uri, told) == (model.id, model.uri, [])


def test_one_domain_and_no_rank_are_refused(shop):
    with pytest.raises(SettingsError, match="of one domain"):
        taught(shop, named(dict.fromkeys(DOMAINS, "all")), by="adapters")
    with pytest.raises(SettingsError, match="rank = 0; by: adapters needs one of at least 1"):
        taught(shop, by="adapters", rank=0)


def test_rows_that_dont_fit_are_refused_before_anything_is_written(shop):
    before = lessons.kept(shop)
    with pytest.raises(SettingsError, match="none of 24 examples fits into most_tokens = 5"):
        taught(shop, most_tokens=5)
    assert lessons.kept(shop) == before


@pytest.mark.parametrize("by", ["upcycle", "adapters"])
def test_an_estimate_comes_without_a_trace(shop, by):
    given = {"base": "base", "by": by, "steps": 6, "batch": 8}
    folders = {name: lessons.folders(shop)[name] for name in ("folder", "workspace")}
    before = lessons.kept(shop)
    found = estimate(named(), **given, **folders)
    assert found.cpu_seconds + found.gpu_seconds > 0
    assert found.note.startswith("6 steps" if by == "upcycle" else "12 steps")
    assert lessons.kept(shop) == before


def test_comparing_is_estimated_to_cost_twice(shop):
    given = {"base": "base", "steps": 6, "batch": 8, "compare": True}
    folders = {name: lessons.folders(shop)[name] for name in ("folder", "workspace")}
    found = estimate(lessons.lesson(), **given, **folders)
    assert found.note.startswith("twice 6 steps")
    assert found.tokens % 2 == 0


def test_the_door_knows_its_settings():
    about = describe("customize", "moe")
    assert about.handed == ("cluster", "encoder", "folder", "artefacts", "workspace", "seed", "progress")
    assert {setting.name for setting in about.settings if setting.required} == {"base"}
    with pytest.raises(UnknownSetting, match="by = 'magic'"):
        check("customize", "moe", {"base": "x", "by": "magic"})
    assert teaches(moe) == KINDS == ("text",)
