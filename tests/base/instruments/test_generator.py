"""A language model in this process: real tiny checkpoints, written and opened again."""

import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from openflywheel.base.errors import StoreError
from openflywheel.base.instruments import artefact, checkpoint
from openflywheel.base.instruments.answers import Estimating, Labelling, Writing
from openflywheel.base.instruments.generator import opened
from openflywheel.base.instruments.generator import Generator, LabellingGenerator, batches, padded, seen

sys.path.append(str(Path(__file__).parents[2] / "customize"))
from tiny import tiny

LABELS = ["card lost", "card late", "card", "refund me", "refund", "other"]
TEXTS = ["where is my card?", "i want my money back, and i want it now, please!", "hm"]


@pytest.fixture(scope="module", params=["llama", "qwen3", "mixtral"])
def base(request, tmp_path_factory):
    return tiny(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    return tiny(tmp_path_factory.mktemp("llama"), "llama")


def inside(base, **more):
    """An artefact that holds its whole checkpoint."""
    return {"form": "generator", **more}, {f"checkpoint/{f.name}": f for f in base.iterdir()}


def outside(base, **more):
    """A manifest that names the checkpoint."""
    named = {"name": "tiny", "path": base.name, "sha256": checkpoint.fingerprint(base)}
    return {"form": "generator", "base": named, **more}


def brute_force(generator, text):
    """Each label's probability: all of its tokens by a pass of its own, choices among what labels allow."""
    import torch

    prompt = generator.template.prompt([{"role": "user", "content": text}], 10_000)
    answers = [generator.template.answer(label) for label in generator.labels]
    found = []
    for answer in answers:
        with torch.inference_mode():
            logits = generator.model(torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 :].double()
        total = 0.0
        for i, token in enumerate(answer):
            allowed = sorted({a[i] for a in answers if a[:i] == answer[:i] and len(a) > i})
            total += float(logits[i, token] - torch.logsumexp(logits[i, allowed], 0))
        found.append(np.exp(total))
    return found


def test_probabilities_are_exact(base):
    model, tokenizer = checkpoint.loaded(base)
    generator = LabellingGenerator(model, tokenizer, LABELS)
    assert len(generator.trie.tokens) > 3
    found = generator.probabilities(TEXTS)
    assert found.dtype == np.float32
    for row, text in zip(found, TEXTS, strict=True):
        assert row == pytest.approx(brute_force(generator, text), abs=2e-6)
    assert found.sum(axis=1) == pytest.approx(1)
    assert found.max() < 1  # an untrained model is sure of nothing


def test_an_artefact_with_its_checkpoint_writes_and_labels(tmp_path, llama):
    place = artefact.keep(tmp_path, *reversed_files(inside(llama, labels=LABELS, sharpness=2.0)))
    answers = opened(place, folder=tmp_path)
    assert isinstance(answers, Labelling)
    assert isinstance(answers, Writing)
    assert not isinstance(answers, Estimating)
    assert answers.labels == tuple(LABELS)
    plain = LabellingGenerator(*checkpoint.loaded(llama), LABELS).probabilities(TEXTS)
    sharper = plain**2 / (plain**2).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(answers.probabilities(TEXTS), sharper, atol=1e-5)


def reversed_files(both):
    said, files = both
    return said, None, files


def test_without_labels_it_only_writes(tmp_path, llama):
    answers = opened(artefact.keep(tmp_path, *reversed_files(inside(llama))), folder=tmp_path)
    assert isinstance(answers, Writing)
    assert not isinstance(answers, Labelling)
