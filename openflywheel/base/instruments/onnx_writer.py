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
        self._name = name
        self._fields: list[bytes] = [_text(2, name)]  # GraphProto.name
        self._names = 0

    def input(self, name: str, dtype: str, shape: Shape) -> str:
        """Declare an input; an axis given as a word is free. Returns `name`."""
        self._fields.append(_field(11, _value_info(name, dtype, shape)))  # GraphProto.input
        return name

    def output(self, name: str, dtype: str, shape: Shape) -> None:
        """Declare `name`, which a node puts out, as an output of the graph."""
        self._fields.append(_field(12, _value_info(name, dtype, shape)))  # GraphProto.output

    def tensor(self, array: NDArray[np.generic]) -> str:
        """Store a constant (GraphProto.initializer). Returns its name."""
        name = self._fresh("tensor")
        self._fields.append(_field(5, _tensor(name, array)))
        return name

    def node(
        self,
        operator: str,
        *inputs: str,
        domain: str = "",
        to: str = "",
        outputs: int = 1,
        **attributes: Attribute,
    ) -> str:
        name = to or self._fresh(operator)
        fields = [_text(1, name_) for name_ in inputs]  # NodeProto.input
        names = [name] + [f"{name}_{i}" for i in range(1, outputs)]
        fields += [_text(2, n) for n in names]
        fields += [_text(4, operator)]  # output, op_type
        fields += [_field(5, _attribute(key, value)) for key, value in attributes.items()]
        if domain:
            fields.append(_text(7, domain))
        self._fields.append(_field(1, b"".join(fields)))  # GraphProto.node
        return name

    def model(self, opsets: Mapping[str, int], ir_version: int, metadata: Mapping[str, str]) -> bytes:
        """The whole as ModelProto bytes: opset imports by domain ('' is ONNX's own), IR version, metadata."""
        imports = [_text(1, domain) + _number(2, version) for domain, version in opsets.items()]
        entries = [_text(1, key) + _text(2, value) for key, value in metadata.items()]
        return b"".join(
            [
                _number(1, ir_version),
                _field(7, b"".join(self._fields)),
                *(_field(8, entry) for entry in imports),
                *(_field(14, entry) for entry in entries),
            ]
        )

    def _fresh(self, stem: str) -> str:
        self._names += 1
        return f"{stem}_{self._names}"


def _attribute(name: str, value: Attribute) -> bytes:
    match value:
        case int():
            content, kind = _number(3, value), INT
        case float():
            content, kind = _tag(2, 5) + np.float32(value).tobytes(), FLOAT
        case str():
            content, kind = _text(4, value), STRING
        case _:
            content, kind = b"".join(_number(8, item) for item in value), INTS
    return _text(1, name) + content + _number(20, kind)


def _tensor(name: str, array: NDArray[np.generic]) -> bytes:
    """TensorProto: dims 1, data_type 2, name 8, raw_data 9 (little-endian, row-major)."""
    dims = b"".join(_number(1, size) for size in array.shape)
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return dims + _number(2, DATA_TYPES[array.dtype.name]) + _text(8, name) + _field(9, little.tobytes())


def _value_info(name: str, dtype: str, shape: Shape) -> bytes:
    """ValueInfoProto: name 1, type 2 -> TypeProto: tensor_type 1 -> elem_type 1, shape 2 -> dim 1."""
    dims = b"".join(_field(1, _text(2, n) if isinstance(n, str) else _number(1, n)) for n in shape)
    return _text(1, name) + _field(2, _field(1, _number(1, DATA_TYPES[dtype]) + _field(2, dims)))


def _varint(value: int) -> bytes:
    """Seven bits a byte, lowest first, the eighth set on all but the last; negatives as 64-bit two's complement."""
    value &= (1 << 64) - 1
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def _tag(number: int, wire_type: int) -> bytes:
    return _varint(number << 3 | wire_type)


def _number(number: int, value: int) -> bytes:
    return _tag(number, 0) + _varint(value)


def _field(number: int, content: bytes) -> bytes:
    return _tag(number, 2) + _varint(len(content)) + content


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode())
