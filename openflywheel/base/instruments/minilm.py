"""all-MiniLM-L6-v2 as an int8 ONNX graph: converted once from model.safetensors, then run on the CPU.

The transformer is BERT (Devlin et al. 2019, arXiv:1810.04805) with the weights of MiniLM (Wang et al. 2020,
arXiv:2002.10957) tuned for sentences (huggingface.co/sentence-transformers/all-MiniLM-L6-v2, Apache-2.0).
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from safetensors import safe_open

from openflywheel.base.errors import EncoderError
from openflywheel.base.instruments.onnx_writer import DATA_TYPES, Graph
from openflywheel.base.instruments.wordpieces import TOKENS, WordPieces

Float32 = NDArray[np.float32]

SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# Raise the last number with every change to the graph: vectors of two graphs do not mix.
NAME = f"minilm-l6-int8-{SHA256[:8]}-v2"
WEIGHTS, TOKENIZER = "model.safetensors", "tokenizer.json"
LAYERS, HEADS, WIDTH = 6, 12, 384
# Opset 20 brought Gelu, and onnxruntime 1.20 runs it; the Attention operator of opset 23 is no faster.
OPSET, IR_VERSION = 20, 9
# Tokens that go through the graph at once.
BATCH_TOKENS = 512
# Channel 99 of the hidden state is some 15 times its neighbours in every layer and would coarsen their scale:
# a quarter of it meets weights four times as large (SmoothQuant, Xiao et al. 2023, arXiv:2211.10438). Texts
# of a word or two gain most: their least cosine to fp32 goes from .967 to .985.
GAIN = np.where(np.arange(WIDTH) == 99, 4, 1).astype(np.float32)
# Texts tokenized at once: bounds the memory for any number of texts.
WINDOW = 4096


class MiniLM:
    """Sentence vectors from a file that `convert` wrote. One CPU thread; threads may share an instance.

    Texts of the same number of tokens share a batch: no padding, so no mask. With activations quantised row
    by row, a text's vector does not depend on its neighbours in the batch.
    """

    width = WIDTH

    def __init__(self, path: Path, name: str = NAME) -> None:
        """`name` tells tuned weights from the published ones.

        Raises EncoderError when onnxruntime cannot read `path`.
        """
        self.name = name
        try:
            self._session = onnxruntime.InferenceSession(path, _options(), ["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors have no nearer common base
            raise EncoderError(
                f"{path} cannot be read: delete it and open the encoder again ({error})"
            ) from error
        self._tokenize = WordPieces(self._session.get_modelmeta().custom_metadata_map[TOKENIZER])

    def encode(self, texts: Sequence[str]) -> Float32:
        """L2-normalised vectors of the texts' first 128 tokens, shape (len(texts), 384)."""
        windows = [self._window(texts[start : start + WINDOW]) for start in range(0, len(texts), WINDOW)]
        return np.concatenate([np.empty((0, WIDTH), np.float32), *windows])

    def _window(self, texts: Sequence[str]) -> Float32:
        ids = self._tokenize(texts)
        vectors = np.empty((len(ids), WIDTH), np.float32)
        for batch in _batches([len(row) for row in ids]):
            tokens = np.array([ids[row] for row in batch], np.int64)
            (vectors[batch],) = self._session.run(None, {"ids": tokens})
        return vectors


def convert(folder: Path, target: Path) -> None:
    """Write the checkpoint in `folder`, tokenizer included, to `target` as int8 ONNX, unless that exists.

    `target` appears whole or not at all, also when several processes convert at once or one is killed.
    Raises EncoderError when `folder` lacks a file or holds other weights than the published ones, OSError
    when `target` cannot be written.
    """
    verify(folder)
    if target.exists():
        return
    tokenizer = (folder / TOKENIZER).read_text(encoding="utf-8")
    with safe_open(folder / WEIGHTS, framework="numpy") as weights:
        content = graph_of(weights.get_tensor, tokenizer)
    _write(target, content)


def graph_of(weight: Callable[[str], Float32], tokenizer: str) -> bytes:
    """MiniLM as int8 ONNX, of any weights of its shape: `weight` gives a tensor by its published name.

    `tokenizer`, the content of its file, is kept in the graph's metadata.
    """
    return _Transformer(weight).graph.model(OPSET, IR_VERSION, {TOKENIZER: tokenizer})


def verify(folder: Path) -> None:
    """Raises EncoderError when `folder` lacks a file or holds other weights than the published ones."""
    for file in (folder / WEIGHTS, folder / TOKENIZER):
        if not file.is_file():
            raise EncoderError(f"{file} does not exist: a folder with {WEIGHTS} and {TOKENIZER} is needed")
    with (folder / WEIGHTS).open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    if digest != SHA256:
        raise EncoderError(f"{folder / WEIGHTS} is not all-MiniLM-L6-v2: sha256 {digest}, published {SHA256}")


def _write(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=target.parent, prefix=".new-", delete=False) as file:
        beside = Path(file.name)
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            beside.chmod(0o644)  # an image is often built by one user and run by another
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_mem_pattern = False  # it plans for one shape, and ours vary: 128 MB peak RSS against 136
    return options


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Positions of equal length together, at most BATCH_TOKENS tokens a batch."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    for length, group in groupby(order, key=lengths.__getitem__):
        rows = list(group)
        size = max(1, BATCH_TOKENS // length)
        yield from (rows[start : start + size] for start in range(0, len(rows), size))


class _Transformer:
    """Writes BERT's forward pass into `graph`: token ids (batch, length) to sentence vectors (batch, 384)."""

    def __init__(self, weight: Callable[[str], Float32]) -> None:
        self.graph = Graph("all-MiniLM-L6-v2")
        self._weight = weight
        hidden = self._embed(self.graph.input("ids", "int64", ["batch", "length"]))
        for layer in range(LAYERS):
            hidden = self._layer(hidden, f"encoder.layer.{layer}")
        self.graph.output(self._pool(hidden), "float32", ["batch", WIDTH])

    def _embed(self, ids: str) -> str:
        """Word, position and type embeddings; the word table as int8 loses nothing (cosine .9999)."""
        node, constant = self.graph.node, self.graph.constant
        table, scale = _quantise(self._weight("embeddings.word_embeddings.weight"), 127)
        words = node(
            "Mul", self._float(node("Gather", constant(table), ids)), node("Gather", constant(scale), ids)
        )
        positions = self._weight("embeddings.position_embeddings.weight")[:TOKENS]
        positions = positions + self._weight("embeddings.token_type_embeddings.weight")[0]
        zero = constant(np.array([0]))
        length = node("Shape", ids, start=1)
        places = node("Slice", constant(positions), zero, length, zero)
        return self._normalise(node("Add", words, places), "embeddings.LayerNorm")

    def _layer(self, hidden: str, name: str) -> str:
        node = self.graph.node
        rows = self._damped_rows(hidden)
        queries, keys, values = (
            self._linear(rows, f"{name}.attention.self.{part}", GAIN) for part in ("query", "key", "value")
        )
        context = self._attend(queries, keys, values)
        attended = self._linear(self._quantise_rows(context), f"{name}.attention.output.dense")
        hidden = self._normalise(node("Add", attended, hidden), f"{name}.attention.output.LayerNorm")
        inner = node("Gelu", self._linear(self._damped_rows(hidden), f"{name}.intermediate.dense", GAIN))
        outer = self._linear(self._quantise_rows(inner), f"{name}.output.dense")
        return self._normalise(node("Add", outer, hidden), f"{name}.output.LayerNorm")

    def _attend(self, queries: str, keys: str, values: str) -> str:
        """Scaled dot-product attention, each head on its own 32 channels."""
        node, constant = self.graph.node, self.graph.constant
        size = WIDTH // HEADS
        apart, together = constant(np.array([0, 0, HEADS, size])), constant(np.array([0, 0, WIDTH]))
        queries, keys, values = (
            node("Transpose", node("Reshape", rows, apart), perm=axes)
            for rows, axes in ((queries, [0, 2, 1, 3]), (keys, [0, 2, 3, 1]), (values, [0, 2, 1, 3]))
        )
        scores = node("Mul", node("MatMul", queries, keys), constant(np.array(size**-0.5, np.float32)))
        context = node("MatMul", node("Softmax", scores, axis=-1), values)
        return node("Reshape", node("Transpose", context, perm=[0, 2, 1, 3]), together)

    def _pool(self, hidden: str) -> str:
        mean = self.graph.node("ReduceMean", hidden, self.graph.constant(np.array([1])), keepdims=0)
        return self.graph.node("LpNormalization", mean, axis=-1, p=2)

    def _normalise(self, value: str, name: str) -> str:
        scale, shift = (self.graph.constant(self._weight(f"{name}.{part}")) for part in ("weight", "bias"))
        return self.graph.node("LayerNormalization", value, scale, shift, epsilon=1e-12)

    def _quantise_rows(self, value: str) -> tuple[str, str]:
        """The value as uint8 around 128 and each row's scale.

        One scale a row instead of one a tensor (DynamicQuantizeLinear) costs .2 CPU-ms a text and brings the
        mean cosine to fp32 from .9937 to .9961.
        """
        node, constant = self.graph.node, self.graph.constant
        peak = node("ReduceMax", node("Abs", value), constant(np.array([-1])))
        step = constant(np.array(1 / 127, np.float32))
        rows = node("QuantizeLinear", node("Div", value, peak), step, self._middle())
        return rows, node("Mul", peak, step)

    def _damped_rows(self, hidden: str) -> tuple[str, str]:
        return self._quantise_rows(self.graph.node("Mul", hidden, self.graph.constant(1 / GAIN)))

    def _linear(self, quantised: tuple[str, str], name: str, gain: Float32 | float = 1.0) -> str:
        """The int8 product, rescaled by row and by output channel, plus the bias; weights times `gain`.

        Weights keep to 7 bits: CPUs without VNNI add pairs of uint8 x int8 products in int16, which overflows
        beyond +-64. Accuracy is that of 8 bits (ridge head on Banking77 .871 against .871).
        """
        node, constant = self.graph.node, self.graph.constant
        rows, scale = quantised
        weight, channels = _quantise(self._weight(f"{name}.weight") * gain, 63)
        product = node("MatMulInteger", rows, constant(np.ascontiguousarray(weight.T)), self._middle())
        rescaled = node("Mul", node("Mul", self._float(product), constant(channels[:, 0])), scale)
        return node("Add", rescaled, constant(self._weight(f"{name}.bias")))

    def _middle(self) -> str:
        return self.graph.constant(np.array(128, np.uint8))

    def _float(self, value: str) -> str:
        return self.graph.node("Cast", value, to=DATA_TYPES["float32"])


def _quantise(matrix: Float32, limit: int) -> tuple[NDArray[np.int8], Float32]:
    """Symmetric int8 within +-limit, one scale a row: matrix ~ int8 * scale, shapes (n, m) and (n, 1)."""
    scale = np.abs(matrix).max(axis=1, keepdims=True) / np.float32(limit)
    return np.rint(matrix / scale).astype(np.int8), scale
