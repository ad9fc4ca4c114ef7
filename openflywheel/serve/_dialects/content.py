"""What a turn says: OpenAI's content parts and Anthropic's content blocks."""

import re
from collections.abc import Sequence
from typing import Any

from msgspec import Raw, Struct

from openflywheel.serve._dialects.errors import Untranslatable

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,(.*)", re.DOTALL)
_PDF = "application/pdf"


class ImageURL(Struct):
    """Of an image_url part; `detail` has no counterpart."""

    url: str


class File(Struct):
    """Of a file part."""

    file_data: str | None = None
    filename: str | None = None


class Part(Struct):
    """One of OpenAI's content parts."""

    type: str
    text: str = ""
    refusal: str = ""
    image_url: ImageURL | None = None
    file: File | None = None


class Source(Struct):
    """Where the bytes of an Anthropic image or document are."""

    type: str
    media_type: str = ""
    data: str = ""
    url: str = ""


class Block(Struct):
    """One of Anthropic's content blocks, as a request holds it."""

    type: str
    text: str = ""
    source: Source | None = None
    title: str | None = None
    id: str = ""
    name: str = ""
    input: dict[str, Raw] = {}
    tool_use_id: str = ""
    content: "str | list[Block] | None" = None
    is_error: bool | None = None


def text_block(text: str) -> list[dict[str, Any]]:
    """A text block; none for blank text, which Anthropic refuses."""
    return [{"type": "text", "text": text}] if text.strip() else []


def blocks_of(content: str | Sequence[Part] | None) -> list[dict[str, Any]]:
    """OpenAI's content as Anthropic's blocks; a part that has none raises Untranslatable."""
    if content is None or isinstance(content, str):
        return text_block(content or "")
    return [block for part in content for block in _block(part)]


def _block(part: Part) -> list[dict[str, Any]]:
    match part:
        case Part(type="text"):
            return text_block(part.text)
        case Part(type="refusal"):
            return text_block(part.refusal)
        case Part(type="image_url", image_url=ImageURL(url)):
            return [{"type": "image", "source": _image_source(url)}]
        case Part(type="file", file=File(file_data=str(data))):
            title = {"title": part.file.filename} if part.file and part.file.filename else {}
            return [{"type": "document", "source": _pdf_source(data), **title}]
    raise Untranslatable(
        f"a content part {part.type!r} has no counterpart in the Messages API, or lacks its content; "
        "choices: text, image_url with a url, file with file_data"
    )


def _image_source(url: str) -> dict[str, Any]:
    if url.startswith(("http://", "https://")):
        return {"type": "url", "url": url}
    return _base64_source(url, "image_url.url")


def _pdf_source(data: str) -> dict[str, Any]:
    source = _base64_source(data, "file.file_data")
    if source["media_type"] != _PDF:
        raise Untranslatable(f"file.file_data is {source['media_type']}; the Messages API reads {_PDF} only")
    return source


def _base64_source(url: str, where: str) -> dict[str, Any]:
    found = _DATA_URL.match(url)
    if not found:
        raise Untranslatable(f"{where} begins with {url[:20]!r}; choices: a data:...;base64, or http(s) URL")
    return {"type": "base64", "media_type": found[1].lower(), "data": found[2]}


def part_of(block: Block) -> dict[str, Any]:
    """One of Anthropic's blocks as OpenAI's content part; a block that has none raises Untranslatable."""
    match block:
        case Block(type="text"):
            return {"type": "text", "text": block.text}
        case Block(type="image", source=Source(type="url", url=url)):
            return {"type": "image_url", "image_url": {"url": url}}
        case Block(type="image", source=Source(type="base64") as source):
            return {"type": "image_url", "image_url": {"url": _data_url(source)}}
        case Block(type="document", source=Source(type="base64") as source):
            file = {"filename": block.title or "document.pdf", "file_data": _data_url(source)}
            return {"type": "file", "file": file}
    kind = f"{block.type} ({block.source.type})" if block.source else block.type
    raise Untranslatable(
        f"a content block {kind!r} has no counterpart in chat completions; "
        "choices: text, image (url, base64), document (base64), tool_use, tool_result"
    )


def _data_url(source: Source) -> str:
    return f"data:{source.media_type};base64,{source.data}"


def text_of(content: str | Sequence[Block] | None, where: str, between: str = "\n") -> str:
    """The text of content that may hold nothing else in chat completions."""
    if content is None or isinstance(content, str):
        return content or ""
    for block in content:
        if block.type != "text":
            raise Untranslatable(
                f"{where} holds a block {block.type!r}; chat completions allow only text there"
            )
    return between.join(block.text for block in content)
