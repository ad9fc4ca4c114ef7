import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.serve._dialects.content import Block, Part, blocks_of, part_of, text_of
from openflywheel.serve._dialects.errors import Untranslatable

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PAIRS = [
    ({"type": "text", "text": "Grüße 😀"}, {"type": "text", "text": "Grüße 😀"}),
    (
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
    ),
    (
        {"type": "image_url", "image_url": {"url": "https://example.com/a.jpg"}},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.jpg"}},
    ),
    (
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="}},
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="},
            "title": "a.pdf",
        },
    ),
]


def blocks(*parts):
    return blocks_of(msgspec.convert(parts, list[Part]))


def part(block):
    return part_of(msgspec.convert(block, Block))


@pytest.mark.parametrize(("chat", "messages"), PAIRS)
def test_a_part_and_its_block_say_the_same(chat, messages):
    assert blocks(chat) == [messages]
    assert part(messages) == chat


@pytest.mark.parametrize("content", [None, "", " \n", (), ({"type": "text", "text": ""},)])
def test_blank_content_is_no_block(content):
    said = blocks(*content) if isinstance(content, tuple) else blocks_of(content)
    assert said == []


def test_text_keeps_its_blanks():
    assert blocks_of(" a\n") == [{"type": "text", "text": " a\n"}]


def test_a_refusal_is_text():
    assert blocks({"type": "refusal", "refusal": "I can't."}) == [{"type": "text", "text": "I can't."}]


def test_an_images_detail_is_dropped():
    url = {"url": "http://example.com/a", "detail": "high"}
    assert blocks({"type": "image_url", "image_url": url}) == [
        {"type": "image", "source": {"type": "url", "url": "http://example.com/a"}}
    ]


def test_a_media_type_is_written_small():
    [block] = blocks({"type": "image_url", "image_url": {"url": "data:image/JPEG;base64,AA=="}})
    assert block["source"]["media_type"] == "image/jpeg"


def test_a_file_without_a_name_has_none():
    [block] = blocks({"type": "file", "file": {"file_data": "data:application/pdf;base64,AA=="}})
    assert "title" not in block
    assert part(block)["file"]["filename"] == "document.pdf"


@pytest.mark.parametrize(
    ("unsaid", "why"),
    [
        (
            {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}},
            "'input_audio' has no counter",
        ),
        ({"type": "video"}, "'video' has no counterpart"),
        ({"type": "image_url"}, "'image_url' has no counterpart in the Messages API, or lacks its content"),
        ({"type": "file", "file": {"file_id": "file-1"}}, "'file' has no counterpart"),
        (
            {"type": "image_url", "image_url": {"url": "data:image/svg+xml,<svg/>"}},
            "begins with 'data:image/svg",
        ),
        (
            {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}},
            "image_url.url begins with 'file://",
        ),
        ({"type": "file", "file": {"file_data": "JVBERg=="}}, "file.file_data begins with"),
        ({"type": "file", "file": {"file_data": "data:text/csv;base64,AA=="}}, "is text/csv"),
    ],
)
def test_what_the_messages_api_cannot_say_is_refused(unsaid, why):
    with pytest.raises(Untranslatable, match=why):
        blocks(unsaid)


@pytest.mark.parametrize(
    ("unsaid", "why"),
    [
        (
            {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
            r"'image \(file\)' has no counterpart",
        ),
        ({"type": "document", "source": {"type": "text", "data": "x"}}, r"'document \(text\)'"),
        ({"type": "search_result", "source": {"type": "x"}}, "search_result"),
        (
            {"type": "server_tool_use", "id": "a", "name": "web_search", "input": {}},
            "'server_tool_use' has no",
        ),
        ({"type": "image"}, "'image' has no counterpart"),
    ],
)
def test_what_chat_completions_cannot_say_is_refused(unsaid, why):
    with pytest.raises(Untranslatable, match=why):
        part(unsaid)


def test_text_of_blocks_is_joined():
    said = [Block("text", text="a"), Block("text", text="b")]
    assert (text_of(said, "x"), text_of(said, "x", between="")) == ("a\nb", "ab")
    assert (text_of(None, "x"), text_of("c", "x"), text_of([], "x")) == ("", "c", "")


def test_text_of_an_image_is_refused_with_its_place():
    with pytest.raises(
        Untranslatable, match="a tool_result holds a block 'image'; chat completions allow only"
    ):
        text_of([Block("image")], "a tool_result")


@given(st.text())
def test_any_text_survives(text):
    assert [part(block)["text"] for block in blocks_of(text)] == ([text] if text.strip() else [])
