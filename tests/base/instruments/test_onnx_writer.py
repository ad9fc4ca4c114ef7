"""The writer against the `onnx` package: its parser, checker, shape inference and reference evaluator."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from openflywheel.base.instruments.onnx_writer import DATA_TYPES, Graph

OPSET, IR_VERSION = 20, 9


def written() -> bytes:
    """A small graph with an attribute of each type."""
    graph = Graph("block")
    x = graph.input("x", "float32", ["batch", 3, 4])
    scale, shift = graph.constant(np.full(4, 2, np.float32)), graph.constant(np.zeros(4, np.float32))
    normal = graph.node("LayerNormalization", x, scale, shift, epsilon=1e-5)
    turned = graph.node("Transpose", graph.node("Gelu", normal, approximate="tanh"), perm=[0, 2, 1])
    mean = graph.node("ReduceMean", turned, graph.constant(np.array([-1])), keepdims=0)
    graph.output(graph.node("Softmax", mean, axis=-1), "float32", ["batch", 4])
    return graph.model(OPSET, IR_VERSION, {"tokenizer": "ä {}", "licence": ""})


@pytest.fixture
def model() -> onnx.ModelProto:
    return onnx.load_from_string(written())


def test_the_checker_accepts_the_model(model):
    onnx.checker.check_model(model, full_check=True)


def test_onnx_parses_every_byte_into_the_fields_meant(model):
    assert len(model.SerializeToString()) == len(written())
    assert {field.name for field, _ in model.ListFields()} == {
        "ir_version",
        "graph",
        "opset_import",
        "metadata_props",
    }


def test_versions_and_metadata_arrive(model):
    assert model.ir_version == IR_VERSION
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", OPSET)]
    assert {entry.key: entry.value for entry in model.metadata_props} == {"tokenizer": "ä {}", "licence": ""}


def test_shape_inference_derives_the_declared_output(model):
    declared = model.graph.output[0]
    nodes, inputs = model.graph.node, model.graph.input
    bare = onnx.helper.make_graph(nodes, "bare", inputs, [onnx.ValueInfoProto(name=declared.name)])
    bare.initializer.extend(model.graph.initializer)
    inferred = onnx.shape_inference.infer_shapes(
        onnx.helper.make_model(bare, opset_imports=model.opset_import), strict_mode=True
    )
    assert inferred.graph.output[0].type == declared.type


def test_the_reference_evaluator_computes_what_was_written(model):
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    centred = x - x.mean(-1, keepdims=True)
    normal = 2 * centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    gelu = normal / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (normal + 0.044715 * normal**3)))
    powers = np.exp(gelu.mean(axis=1))
    (y,) = ReferenceEvaluator(model).run(None, {"x": x})
    np.testing.assert_allclose(y, powers / powers.sum(-1, keepdims=True), atol=1e-6)


@pytest.mark.parametrize("dtype", DATA_TYPES)
@pytest.mark.parametrize("shape", [(), (0,), (200,), (2, 3, 1)])
def test_tensors_keep_type_shape_and_values(dtype, shape):
    array = np.random.default_rng(1).integers(0, 100, shape).astype(dtype)
    graph = Graph("tensor")
    name = graph.constant(array)
    (tensor,) = onnx.load_from_string(graph.model(OPSET, IR_VERSION, {})).graph.initializer
    assert tensor.name == name
    assert numpy_helper.to_array(tensor).dtype == array.dtype
    np.testing.assert_array_equal(numpy_helper.to_array(tensor), array)


def test_tensors_of_other_layouts_are_written_row_major_and_little_endian():
    array = np.arange(6, dtype=">f4").reshape(2, 3).T
    graph = Graph("tensor")
    graph.constant(array)
    (tensor,) = onnx.load_from_string(graph.model(OPSET, IR_VERSION, {})).graph.initializer
    np.testing.assert_array_equal(numpy_helper.to_array(tensor), array)


@pytest.mark.parametrize(
    "value", [0, 1, 127, 128, 2**31, 2**62, -1, -(2**63), 0.1, -1e-12, "", "tänh", [-1, 300]]
)
def test_attributes_keep_their_values(value):
    graph = Graph("attribute")
    graph.node("Any", attribute=value)
    (node,) = onnx.load_from_string(graph.model(OPSET, IR_VERSION, {})).graph.node
    read = onnx.helper.get_attribute_value(node.attribute[0])
    expected = value.encode() if isinstance(value, str) else value
    assert read == (pytest.approx(expected) if isinstance(value, float) else expected)


def test_a_dtype_onnx_does_not_get_from_us_is_refused():
    with pytest.raises(KeyError, match="complex64"):
        Graph("tensor").constant(np.zeros(1, np.complex64))
