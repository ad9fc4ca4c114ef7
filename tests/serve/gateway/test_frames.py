"""A stream on its way through, cut into pieces at every place."""

import pytest

from openflywheel.serve._gateway.frames import Frames

CHUNK = b'data: {"choices":[{"delta":{"content":"data: [DONE]"}}]}\n\n'
FINISH = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"
STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
COMPLETED = b'event: response.completed\ndata: {"type":"response.completed"}\n\n'
FAILED = b'event: error\ndata: {"type":"error","error":{}}\n\n'
BROKEN = b'data: {"error": {"message": "x"}}\n\n'


def fed(*pieces: bytes) -> tuple[Frames, bytes]:
    frames = Frames()
    return frames, b"".join(map(frames.feed, pieces))


@pytest.mark.parametrize("last", [DONE, STOP, COMPLETED, FAILED, BROKEN])
def test_the_last_event_is_held_back_wherever_the_stream_is_cut(last):
    stream = CHUNK * 2 + last
    for place in range(len(stream) + 1):
        frames, out = fed(stream[:place], stream[place:])
        assert out == bytes(frames.sent) == CHUNK * 2
        assert frames.held == last


def test_byte_by_byte_only_whole_events_go_on():
    stream, frames = CHUNK + FINISH + DONE, Frames()
    ready = [out for byte in stream if (out := frames.feed(bytes([byte])))]
    assert ready == [CHUNK, FINISH]
    assert frames.complete


def test_whole_events_go_on_at_once_and_halves_wait():
    frames, out = fed(CHUNK + CHUNK[:20])
    assert (out, frames.held) == (CHUNK, CHUNK[:20])


def test_line_ends_of_windows():
    frames, out = fed(b"data: a\r\n\r\ndata: b\r\n\r\ndata: ")
    assert (out, frames.held) == (b"data: a\r\n\r\ndata: b\r\n\r\n", b"data: ")


@pytest.mark.parametrize("stream", [CHUNK + DONE, CHUNK + STOP, CHUNK + COMPLETED, CHUNK + FINISH])
def test_it_came_to_its_end(stream):
    frames, _ = fed(stream)
    assert frames.complete
    assert not frames.failed


@pytest.mark.parametrize("stream", [b"", CHUNK, CHUNK[:-1], CHUNK + DONE[:5], b": ping\n\n"])
def test_it_did_not_come_to_its_end(stream):
    frames, _ = fed(stream)
    assert not frames.complete
    assert not frames.failed


@pytest.mark.parametrize("last", [FAILED, BROKEN])
def test_the_provider_says_itself_that_it_failed(last):
    frames, _ = fed(CHUNK + last + DONE)
    assert frames.failed
    assert not frames.complete


def test_a_text_that_speaks_of_the_end_is_not_the_end():
    said = b'data: {"choices":[{"delta":{"content":"\\"finish_reason\\": \\"stop\\" event: error"}}]}\n\n'
    frames, out = fed(said)
    assert out == said
    assert not frames.complete
