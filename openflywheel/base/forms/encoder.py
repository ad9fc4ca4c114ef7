"""An encoder of its own with a head on it: the form "encoder". Needs no torch.

The folder holds the tuned encoder as int8 ONNX, the head's tensors and, when low-rank weights were learned,
these as an adapter that peft reads.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from openflywheel.base.forms.head import Head, HeadOnEncoder
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.minilm import MiniLM

FORM = "encoder"
GRAPH = "encoder.onnx"


def name_of(graph: bytes) -> str:
    """The encoder's name, by its content: vectors of two encoders never mix."""
    return f"minilm-l6-int8-{hashlib.sha256(graph).hexdigest()[:12]}-tuned"


def encoder_of(graph: bytes) -> MiniLM:
    """The encoder that `graph`, the content of an ONNX file, is. Raises EncoderError."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / GRAPH
        path.write_bytes(graph)
        return MiniLM(path, name_of(graph))


def keep(folder: Path, head: Head, graph: bytes, files: Mapping[str, bytes], **manifest: Any) -> Path:
    """Write head and encoder as one artefact (artefact.py); `manifest` and `files` are kept beside them."""
    said = {**head.said, "form": FORM, **manifest}
    return artefact.keep(folder, said, head.tensors, {GRAPH: graph, **files})


def opened(place: Path) -> HeadOnEncoder:
    """A head on its own encoder, one thread. Raises StoreError; EncoderError when the graph does not run."""
    said, tensors = artefact.read(place)
    return HeadOnEncoder(Head.of(said, tensors), MiniLM(place / GRAPH, said["encoder"]))
