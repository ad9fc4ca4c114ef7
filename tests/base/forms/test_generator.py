"""A language model in this process: real tiny checkpoints, kept and opened again."""

import json
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from openflywheel.base.errors import MissingExtra, StoreError
from openflywheel.base.forms.generator import TOGETHER, Generator, LabellingGenerator, batches, opened
from openflywheel.base.instruments import artefact, checkpoint
from openflywheel.base.instruments.answers import Estimating, Labelling, Writing

sys.path.append(str(Path(__file__).parents[2] / "customize"))
from tiny import tiny

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated")  # peft 0.21

LABELS = ["card lost", "card late", "card", "refund me", "refund", "other"]
TEXTS = ["where is my card?", "i want my money back, and i want it now, please!", "hm"]
CHATS = [[{"role": "user", "content": text}] for text in TEXTS]


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    """A checkpoint of each kind."""
    return {kind: tiny(tmp_path_factory.mktemp(kind), kind) for kind in ("llama", "qwen3", "mixtral")}


@pytest.fixture(scope="module")
def llama(bases):
    return bases["llama"]


@pytest.fixture(scope="module")
def generator(llama):
    return LabellingGenerator(*checkpoint.loaded(llama), LABELS)


@pytest.fixture(scope="module")
def adapter(llama, tmp_path_factory):
    """A peft adapter that changes much."""
    from peft import LoraConfig, get_peft_model

    model, _ = checkpoint.loaded(llama)
    torch.manual_seed(1)
    tuned = get_peft_model(model, LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False))
    folder = tmp_path_factory.mktemp("adapter")
    tuned.save_pretrained(folder)
    return folder, tuned.eval()


def inside(folder, base, **more):
    """An artefact that holds its whole checkpoint."""
    files = {f"checkpoint/{f.name}": f for f in base.iterdir()}
    return artefact.keep(folder, {"form": "generator", **more}, files=files)


def outside(folder, base, adapter=None, **more):
    """An artefact that names its checkpoint by a path relative to the checkpoint's neighbours."""
    named = {"name": "tiny", "path": base.name, "sha256": checkpoint.fingerprint(base)}
    names = ("adapter_config.json", "adapter_model.safetensors") if adapter else ()
    files = {f"adapter/{name}": adapter / name for name in names}
    return artefact.keep(folder, {"form": "generator", "base": named, **more}, files=files)


def brute_force(generator, text, model=None):
    """Each label's probability: all of its tokens by a pass of its own, choices among what labels allow."""
    prompt = generator.template.prompt([{"role": "user", "content": text}], 10_000)
    answers = [generator.template.answer(label) for label in generator.labels]
    found = []
    for answer in answers:
        with torch.inference_mode():
            logits = (model or generator.model)(torch.tensor([prompt + answer])).logits[0].double()
        total = 0.0
        for i, token in enumerate(answer):
            allowed = sorted({a[i] for a in answers if a[:i] == answer[:i] and len(a) > i})
            after = logits[len(prompt) - 1 + i]
            total += float(after[token] - torch.logsumexp(after[allowed], 0))
        found.append(np.exp(total))
    return found


@pytest.mark.parametrize("kind", ["llama", "qwen3", "mixtral"])
def test_probabilities_are_exact(kind, bases):
    generator = LabellingGenerator(*checkpoint.loaded(bases[kind]), LABELS)
    assert len(generator.trie.tokens) > 3
    found = generator.probabilities(TEXTS)
    assert found.dtype == np.float32
    for row, text in zip(found, TEXTS, strict=True):
        assert row == pytest.approx(brute_force(generator, text), abs=2e-6)
    assert found.sum(axis=1) == pytest.approx(1)
    assert 0 < found.min() < found.max() < 1  # an untrained model is sure of nothing


def test_they_are_exact_for_a_model_that_carries_a_state(generator):
    from transformers import MambaConfig, MambaForCausalLM

    torch.manual_seed(0)
    shape = MambaConfig(vocab_size=600, hidden_size=32, num_hidden_layers=2, state_size=8, pad_token_id=0)
    other = LabellingGenerator(MambaForCausalLM(shape).eval(), generator.tokenizer, LABELS)
    for row, text in zip(other.probabilities(TEXTS), TEXTS, strict=True):
        assert row == pytest.approx(brute_force(other, text), abs=2e-6)


def test_an_artefact_with_its_checkpoint_writes_and_labels(tmp_path, llama, generator):
    answers = opened(inside(tmp_path, llama, labels=LABELS, sharpness=2.0), folder=tmp_path)
    assert isinstance(answers, Labelling)
    assert isinstance(answers, Writing)
    assert not isinstance(answers, Estimating)
    assert answers.labels == tuple(LABELS)
    plain = generator.probabilities(TEXTS)
    sharper = plain**2 / (plain**2).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(answers.probabilities(TEXTS), sharper, atol=1e-5)


def test_without_labels_it_only_writes(tmp_path, llama):
    answers = opened(inside(tmp_path, llama), folder=tmp_path)
    assert isinstance(answers, Writing)
    assert not isinstance(answers, Labelling)


def test_it_writes_the_likeliest_tokens_whatever_it_is_asked_beside(generator):
    written = generator.write(CHATS, most_tokens=8)
    assert written == generator.write(CHATS, most_tokens=8)
    assert written == [generator.write([chat], most_tokens=8)[0] for chat in CHATS]
    for chat, text in zip(CHATS, written, strict=True):
        ids = generator.template.prompt(chat, 10_000)
        begin = len(ids)
        for _ in range(8):
            with torch.inference_mode():
                ids = [*ids, int(generator.model(torch.tensor([ids])).logits[0, -1].argmax())]
        assert generator.tokenizer.decode(ids[begin:], skip_special_tokens=True).strip() == text


def test_it_stops_where_the_message_ends(generator, monkeypatch):
    ids = generator.template.prompt(CHATS[0], 10_000)
    begin = len(ids)
    for _ in range(4):
        with torch.inference_mode():
            ids = [*ids, int(generator.model(torch.tensor([ids])).logits[0, -1].argmax())]
    monkeypatch.setattr(generator.model.generation_config, "eos_token_id", ids[-1])
    before = ids[begin : ids.index(ids[-1], begin) + 1]
    assert generator.write(CHATS[:1], most_tokens=8) == [generator.tokenizer.decode(before).strip()]
    monkeypatch.setattr(generator.model.generation_config, "eos_token_id", [ids[-1], 0])
    assert generator.write(CHATS[:1], most_tokens=8) == [generator.tokenizer.decode(before).strip()]


def test_labels_of_the_same_tokens_are_told(generator):
    with pytest.raises(
        StoreError, match="labels can't be told apart: the tokens .* are also how another label"
    ):
        LabellingGenerator(generator.model, generator.tokenizer, ["yes", "no", "yes"])


def test_a_verbalizer_says_how_labels_are_written(generator):
    words = {"1": "card late", "2": "refund"}
    model, tokenizer = generator.model, generator.tokenizer
    plain = LabellingGenerator(model, tokenizer, ["card late", "refund", "other"])
    named = LabellingGenerator(model, tokenizer, ["1", "2", "other"], verbalizer=words)
    assert named.labels == ("1", "2", "other")
    np.testing.assert_array_equal(named.probabilities(TEXTS), plain.probabilities(TEXTS))


def test_nothing_asked_is_nothing_answered(generator):
    assert generator.write([]) == []
    assert generator.probabilities([]).shape == (0, len(LABELS))


def test_a_question_longer_than_the_context_is_read_at_its_end(generator):
    rest = " ".join(["late"] * 400)
    one, other = (f"{text} {rest} where is my card?" for text in ("parcel", "refund"))
    found = generator.probabilities([one, other, "hm"])
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)
    assert len(set(generator.write([[{"role": "user", "content": t}] for t in (one, other)]))) == 1


def test_prompt_and_answer_fit_into_the_context_together(generator, monkeypatch):
    asked, generate = [], generator.model.generate

    def spy(**given):
        asked.append((given["input_ids"].shape[1], given["generation_config"].max_new_tokens))
        return generate(**given)

    monkeypatch.setattr(generator.model, "generate", spy)
    long = [{"role": "user", "content": " ".join(["late"] * 400)}]
    generator.write([long], most_tokens=10)
    generator.write([long], most_tokens=10_000)
    assert asked == [(246, 10), (128, 128)]  # of 256


def test_several_threads_ask_at_once(generator):
    alone = generator.probabilities(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        both = list(
            pool.map(
                lambda _: (generator.probabilities(TEXTS), generator.write(CHATS, most_tokens=4)), range(4)
            )
        )
    assert all(np.array_equal(found, alone) for found, _ in both)
    assert len({tuple(texts) for _, texts in both}) == 1


def test_an_adapter_is_applied_to_a_base_outside(tmp_path, llama, adapter, generator):
    folder, tuned = adapter
    answers = opened(outside(tmp_path, llama, folder, labels=LABELS), folder=llama.parent)
    found = answers.probabilities(TEXTS)
    for row, text in zip(found, TEXTS, strict=True):
        assert row == pytest.approx(brute_force(generator, text, tuned), abs=2e-5)
    assert abs(found - generator.probabilities(TEXTS)).max() > 0.01


def test_one_without_weights_says_where_they_should_be(tmp_path):
    place = artefact.keep(tmp_path, {"form": "generator", "labels": LABELS, "base": {"name": "tiny"}})
    with pytest.raises(StoreError) as refused:
        opened(place, folder=tmp_path)
    assert f"there is no checkpoint in {place / 'checkpoint'}" in str(refused.value)


def test_another_base_is_refused(tmp_path, bases):
    base = tmp_path / "base"
    shutil.copytree(bases["llama"], base)
    place = outside(tmp_path, base)
    shutil.copy(bases["qwen3"] / "model.safetensors", base / "model.safetensors")
    with pytest.raises(
        StoreError, match="the weights of tiny in .* are other ones than the model was taught on"
    ):
        opened(place, folder=tmp_path)
    (base / "model.safetensors").unlink()
    with pytest.raises(
        StoreError, match=r"there is no checkpoint in .*: weights as \*.safetensors are expected"
    ):
        opened(place, folder=tmp_path)


def test_a_base_that_is_not_in_the_hubs_cache_is_told(tmp_path):
    named = {"name": "nobody/nothing", "hub": "nobody/nothing", "sha256": "0"}
    place = artefact.keep(tmp_path, {"form": "generator", "base": named})
    with pytest.raises(StoreError, match="'nobody/nothing', which is not in the local cache"):
        opened(place, folder=tmp_path)


@pytest.mark.fault
def test_a_changed_adapter_is_refused(tmp_path, llama, adapter):
    place = outside(tmp_path, llama, adapter[0])
    weights = place / "adapter" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    with pytest.raises(StoreError, match="was changed on disk"):
        opened(place, folder=llama.parent)


def test_the_code_of_a_checkpoint_is_not_run(tmp_path, llama):
    base = tmp_path / "base"
    shutil.copytree(llama, base)
    said = json.loads((base / "config.json").read_text())
    named = {"AutoConfig": "own.Own", "AutoModelForCausalLM": "own.Own", "AutoTokenizer": ["own.Own", None]}
    (base / "config.json").write_text(json.dumps({**said, "auto_map": named}))
    (base / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\nclass Own: pass\n")
    assert isinstance(opened(outside(tmp_path, base), folder=tmp_path), Generator)
    assert not (tmp_path / "ran").exists()


def test_the_hash_of_several_files_changes_with_each_and_with_their_names(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(b"1")
    one = checkpoint.fingerprint(tmp_path)
    (tmp_path / "b.safetensors").write_bytes(b"2")
    both = checkpoint.fingerprint(tmp_path)
    (tmp_path / "b.safetensors").rename(tmp_path / "c.safetensors")
    assert len({one, both, checkpoint.fingerprint(tmp_path)}) == 3


@pytest.mark.parametrize("missing", ["torch", "transformers", "peft"])
def test_a_missing_library_is_told_with_what_installs_it(missing, tmp_path, llama, adapter, monkeypatch):
    place = outside(tmp_path, llama, adapter[0])
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtra, match=rf"needs '{missing}': pip install 'openflywheel\[lora\]'"):
        opened(place, folder=llama.parent)


def test_batches_hold_prompts_of_like_length_and_are_not_too_large():
    prompts = [[0] * n for n in (5, 900, 6, 1000, 5000)]
    found = list(batches(prompts, 100, 10))
    assert found == [[4], [3, 1, 2], [0]]
    assert all(len(b) == 1 or len(b) * (max(len(prompts[i]) for i in b) + 100) <= TOGETHER for b in found)
    assert [len(b) for b in batches([[0]] * 5, 0, 2)] == [2, 2, 1]
    assert [len(b) for b in batches([[0]] * 2, 0, 0)] == [1, 1]
