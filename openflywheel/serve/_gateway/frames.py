"""A stream on its way through: complete events go on at once, the one that ends the answer is held back.

A client can do nothing with half an event, so nothing is lost by waiting for its other half. Once the held
event is out, the client takes the answer for whole: so the row must be kept before.
"""

import re

# Where the last event begins: [DONE] of chat completions, message_stop of messages, the end of a response;
# or an error, after which no client reads on.
LAST = re.compile(
    rb"^data: ?\[DONE\]|^event: ?(?:message_stop|response\.(?:completed|incomplete|failed))"
    rb"|(^event: ?error|^data: ?\{\s*\"error\":)",
    re.MULTILINE,
)
FINISHED = re.compile(rb'"finish_reason": ?"')  # some servers end with such a chunk and send no [DONE]
TAIL = 4096  # bytes of a stream's end in which its last chunk is looked for


class Frames:
    """`sent` is what was let through, `held` what waits."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.held = b""

    def feed(self, chunk: bytes) -> bytes:
        """What may go on."""
        waiting = self.held + chunk
        last = LAST.search(waiting)
        cut = last.start() if last else _after_last_blank(waiting)
        ready, self.held = waiting[:cut], waiting[cut:]
        self.sent += ready
        return ready

    @property
    def failed(self) -> bool:
        """Did the provider say itself that it can't go on?"""
        last = LAST.match(self.held)
        return bool(last and last[1])

    @property
    def complete(self) -> bool:
        """Did the answer come to its end?"""
        last = LAST.match(self.held)
        return not last[1] if last else bool(FINISHED.search(self.sent[-TAIL:] + self.held))


def _after_last_blank(waiting: bytes) -> int:
    """Where the last complete event ends."""
    lines, crlf = waiting.rfind(b"\n\n"), waiting.rfind(b"\r\n\r\n")
    return max(lines + 2 if lines >= 0 else 0, crlf + 4 if crlf >= 0 else 0)
