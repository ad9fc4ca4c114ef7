"""Keys of rows: what the same string gives the same 64 bits on every machine."""

from hashlib import blake2b

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

KEY_BYTES = 8


def keys_of(values: pa.Array | pa.ChunkedArray, salt: str) -> NDArray[np.uint64]:
    """One key a string, shape (n,); `salt` keeps apart what means different things. 0 is for "" and null.

    BLAKE2b, once for each different string: nobody can make two of his strings collide, so nobody can join
    his rows to somebody else's.
    """
    column = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    coded = column.cast(pa.string()).dictionary_encode("encode")
    known = coded.dictionary.to_pylist()
    found = np.frombuffer(b"".join(_key(value, salt) for value in known), "<u8")
    return found[coded.indices.to_numpy(zero_copy_only=False)] if len(known) else np.empty(0, np.uint64)


def _key(value: str | None, salt: str) -> bytes:
    if not value:
        return bytes(KEY_BYTES)
    return blake2b(value.encode(), digest_size=KEY_BYTES, salt=salt.encode()).digest()
