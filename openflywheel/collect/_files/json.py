"""JSON: an object is one row, an array a row an item; lines of JSON under this suffix are read as such."""

import json
from collections.abc import Iterator

from openflywheel.base.nouns import Drop
from openflywheel.collect._files import ndjson
from openflywheel.collect._files.charset import text_of
from openflywheel.collect._files.file import File, Found


def read(file: File) -> Iterator[Found | Drop]:
    """Rows. Raises ValueError or RecursionError when it is no JSON."""
    try:
        content = json.loads(text_of(file))
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise
        yield from ndjson.read(file)
        return
    for item in content if isinstance(content, list) else [content]:
        yield Found(row=item) if isinstance(item, dict) else Drop("row is not an object")
