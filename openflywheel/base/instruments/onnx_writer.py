"""Writes ONNX models as protocol-buffer bytes, so that the `onnx` package is not needed at run time.

Field numbers are those of onnx.proto (github.com/onnx/onnx, Apache-2.0); the wire format is that of
protobuf.dev/programming-guides/encoding. Only what a static graph of tensors needs is written.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Attribute = int | float | str | Sequence[int]
Shape = Sequence[int | str]

# TensorProto.DataType
DATA_TYPES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7}
# AttributeProto.AttributeType
FLOAT, INT, STRING, INTS = 1, 2, 3, 7


class Graph:
    """An ONNX graph in the making. Nodes must be added in topological order, as ONNX asks."""

    def __init__(self, name: str) -> None:
        self._fields = [_text(2, name)]  # GraphProto: node 1, name 2, initializer 5, input 11, output 12
        self._values = 0

    def input(self, name: str, dtype: str, shape: Shape) -> str:
        """Declare an input; an axis given as a word is free. Returns `name`."""
        self._fields.append(_bytes(11, _value_info(name, dtype, shape)))
        return name

    def output(self, name: str, dtype: str, shape: Shape) -> None:
        """Declare `name`, which a node puts out, as an output of the graph."""
        self._fields.append(_bytes(12, _value_info(name, dtype, shape)))

    def constant(self, array: NDArray[np.generic]) -> str:
        """Store a tensor. Returns the name it was given."""
        name = self._fresh("constant")
        self._fields.append(_bytes(5, _tensor(name, array)))
        return name

    def node(self, operator: str, *inputs: str, **attributes: Attribute) -> str:
        """Add a node of ONNX's own domain. Returns the name given to its one output."""
        output = self._fresh(operator)
        self._fields.append(_bytes(1, _node(operator, inputs, output, attributes)))
        return output

    def model(self, opset: int, ir_version: int, metadata: Mapping[str, str]) -> bytes:
        """The graph as ModelProto: ir_version 1, graph 7, opset_import 8, metadata_props 14."""
        entries = [_bytes(14, _text(1, key) + _text(2, value)) for key, value in metadata.items()]
        graph = _bytes(7, b"".join(self._fields))
        return b"".join([_number(1, ir_version), graph, _bytes(8, _number(2, opset)), *entries])

    def _fresh(self, stem: str) -> str:
        self._values += 1
        return f"{stem}_{self._values}"


def _node(operator: str, inputs: Sequence[str], output: str, attributes: Mapping[str, Attribute]) -> bytes:
    """NodeProto: input 1, output 2, op_type 4, attribute 5."""
    fields = [_text(1, name) for name in inputs]
    fields += [_text(2, output), _text(4, operator)]
    fields += [_bytes(5, _attribute(name, value)) for name, value in attributes.items()]
    return b"".join(fields)


def _attribute(name: str, value: Attribute) -> bytes:
    """AttributeProto: name 1, f 2, i 3, s 4, ints 8, type 20."""
    match value:
        case int():
            content, kind = _number(3, value), INT
        case float():
            content, kind = _tag(2, wire_type=5) + np.array(value, "<f4").tobytes(), FLOAT
        case str():
            content, kind = _text(4, value), STRING
        case _:
            content, kind = b"".join(_number(8, item) for item in value), INTS
    return _text(1, name) + content + _number(20, kind)


def _tensor(name: str, array: NDArray[np.generic]) -> bytes:
    """TensorProto: dims 1, data_type 2, name 8, raw_data 9 (row-major, little-endian)."""
    dims = b"".join(_number(1, size) for size in array.shape)
    raw = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    return dims + _number(2, DATA_TYPES[array.dtype.name]) + _text(8, name) + _bytes(9, raw)


def _value_info(name: str, dtype: str, shape: Shape) -> bytes:
    """ValueInfoProto: name 1, type 2; TypeProto: tensor_type 1; its Tensor: elem_type 1, shape 2."""
    tensor = _number(1, DATA_TYPES[dtype]) + _bytes(2, b"".join(_dimension(size) for size in shape))
    return _text(1, name) + _bytes(2, _bytes(1, tensor))


def _dimension(size: int | str) -> bytes:
    """TensorShapeProto: dim 1; its Dimension: dim_value 1, dim_param 2."""
    return _bytes(1, _text(2, size) if isinstance(size, str) else _number(1, size))


def _tag(field: int, wire_type: int) -> bytes:
    return _varint(field << 3 | wire_type)


def _number(field: int, value: int) -> bytes:
    return _tag(field, wire_type=0) + _varint(value)


def _bytes(field: int, content: bytes) -> bytes:
    return _tag(field, wire_type=2) + _varint(len(content)) + content


def _text(field: int, text: str) -> bytes:
    return _bytes(field, text.encode())


def _varint(value: int) -> bytes:
    """Seven bits a byte, lowest first, top bit set on all but the last; negatives in 64-bit complement."""
    value &= 2**64 - 1
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)
