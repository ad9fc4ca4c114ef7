"""Errors in the words of each API."""

import json

import pytest

from openflywheel.serve._gateway.surfaces import CHAT, MESSAGES, SURFACES, Refusal

RESPONSES = SURFACES["/v1/responses"]


def test_the_paths():
    assert SURFACES["/v1/chat/completions"] is CHAT
    assert SURFACES["/v1/messages"] is MESSAGES
    assert {surface.dialect for surface in SURFACES.values()} == {"openai", "anthropic"}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (429, "rate_limit_error"),
        (503, "api_error"),
    ],
)
def test_a_body(status, kind):
    refusal = Refusal(status, "so it is", "a_code")
    assert json.loads(refusal.body("openai"))["error"] == {
        "message": "so it is", "type": kind, "param": None, "code": "a_code",
    }  # fmt: skip
    assert json.loads(refusal.body("anthropic")) == {
        "type": "error", "error": {"type": kind, "message": "so it is"},
    }  # fmt: skip


def test_a_code_may_be_missing():
    assert json.loads(Refusal(400, "no").body("openai"))["error"]["code"] is None


def test_a_frame():
    refusal = Refusal(502, "broke off", "provider_cut")
    assert refusal.frame(CHAT).startswith(b'data: {"error":')
    assert refusal.frame(MESSAGES).startswith(b'event: error\ndata: {"type":"error"')
    frame = refusal.frame(RESPONSES)
    said = json.loads(frame.partition(b"data: ")[2])
    assert (said["type"], said["error"]["message"]) == ("error", "broke off")
    assert all(refusal.frame(surface).endswith(b"\n\n") for surface in SURFACES.values())
