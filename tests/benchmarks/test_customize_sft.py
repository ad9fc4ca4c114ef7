"""LoRA on conversations, on a base and conversations so small that it takes seconds."""

import json
import math

import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy

from benchmarks.customize import sft
from benchmarks.customize.conversations import DOMAINS, TASK, examples, small
from openflywheel.base.instruments import artefact, checkpoint
from openflywheel.base.instruments.template import Template

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated")  # peft 0.21
HEAD = "conversationId\tturnNumber\tutterance\tslot-labels\tintent"


def turns(domain, part, number):
    said = [(f"hello {part} {number}", "greeting"), (f"book {domain} number {number}", "book")]
    return [f"{part}{number}\t{i}\t{text}\tO\t{intent}" for i, (text, intent) in enumerate(said)]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Six conversations of two messages, of each domain and part."""
    folder = tmp_path_factory.mktemp("data")
    for domain in DOMAINS:
        place = folder / "multidogo" / domain
        place.mkdir(parents=True)
        for part in ("train", "dev", "test"):
            lines = [line for number in range(6) for line in turns(domain, part, number)]
            (place / f"{part}.tsv").write_text("\n".join([HEAD, *lines]))
    return folder


@pytest.fixture(scope="module")
def folder(data, tmp_path_factory):
    """Where a base lies."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    made = tmp_path_factory.mktemp("run")
    small(made / "base", sft.conversations(data, "train", 6), 2, seed=0)
    yield made
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def taught(data, folder):
    """A model taught on the base, and what was told."""
    told = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sft, "SETTINGS", {**sft.SETTINGS, "steps": 4, "batch": 4})
        model = sft._taught(data, folder, 0, told.append)
    return model, told


@pytest.mark.parametrize("missing", DOMAINS)
def test_a_domain_that_is_not_there_is_named(tmp_path, missing):
    for domain in DOMAINS:
        (tmp_path / "multidogo" / domain).mkdir(parents=True)
    (tmp_path / "multidogo" / missing).rmdir()
    [row] = sft.measure(tmp_path, tmp_path, 1)
    assert (row.value, row.holds, row.bar) == (None, None, ">= 0.3")
    assert row.unit == f"skipped: no {missing} in {tmp_path}/multidogo"


def test_the_train_part_teaches_and_the_dev_part_judges(data):
    lesson = sft.lesson(data)
    assert len(lesson.rows) == len(lesson.validation) == len(DOMAINS) * 6 * 2
    assert {row.text.split()[1] for row in lesson.rows if row.text.startswith("hello")} == {"train"}
    assert {row.text.split()[1] for row in lesson.validation if row.text.startswith("hello")} == {"dev"}
    assert lesson.dataset.rows == tuple(row.id for row in lesson.rows)
    assert lesson.kind == "text"


@pytest.mark.slow
def test_an_adapter_is_kept_and_said(taught, folder):
    model, told = taught
    kept = artefact.manifest(folder / model.uri)
    assert (kept["method"], kept["base"]["sha256"]) == ("lora", checkpoint.fingerprint(folder / "base"))
    assert told[-1]["step"] == told[-1]["steps"] == 4
    assert model.cost > 0
    assert {"loss", "validation_loss"} <= set(model.report)
    weights = load_file(folder / model.uri / "adapter" / "adapter_model.safetensors")
    assert any(bool(t.abs().sum()) for name, t in weights.items() if "lora_B" in name)


def test_the_held_out_loss_is_that_of_the_answers_alone(folder, data):
    rows = examples(sft.conversations(data, "test", 1))[:3]
    network, words = checkpoint.loaded(folder / "base")
    template, losses = Template(words), []
    for row in rows:
        prompt = template.prompt(json.loads(row.meta["chat"]), 256)
        answer = template.answer(row.labels[TASK])
        with torch.inference_mode():
            logits = network(input_ids=torch.tensor([[*prompt, *answer]])).logits[0]
        right = torch.tensor(answer)
        losses += cross_entropy(logits[len(prompt) - 1 : -1], right, reduction="none").tolist()
    assert sft.held_out(folder, None, rows) == pytest.approx(sum(losses) / len(losses), abs=1e-4)


@pytest.mark.slow
def test_a_model_that_was_taught_is_less_surprised_than_its_base(taught, folder, data):
    model, _ = taught
    rows = examples(sft.conversations(data, "test", 2))
    before, after = sft.held_out(folder, None, rows), sft.held_out(folder, model, rows)
    assert before == pytest.approx(math.log(2_048), abs=3)
    assert after < before


@pytest.mark.slow
def test_intents_are_judged_beside_the_commonest(taught, folder, data):
    model, _ = taught
    rows = examples(sft.conversations(data, "test", 1))[:4]
    hit, speed = sft._read_right(folder, model, rows)
    assert 0 <= hit.value <= 1
    assert hit.unit == "(the commonest: 0.50)"
    assert speed.value > 0
