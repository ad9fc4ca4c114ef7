"""Snapshots: what their status says, and their content, which may still be building when they are ready."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from openflywheel.base.nouns import Drop
from openflywheel.collect._providers.product import Refused
from openflywheel.collect._providers.rows import Row, rows
from openflywheel.collect._web.web import Response

FAILED = ("failed", "canceled", "cancelled", "error")
NOTICE = 1_000  # bytes; a notice is one short sentence


class Ordered(Struct):
    """The answer to an order."""

    snapshot_id: str


class Status(Struct):
    """Where a snapshot is; `cost` in dollars, where it is told."""

    status: str
    cost: float | None = None
    error: str | None = None
    error_message: str | None = None

    def is_ready(self) -> bool:
        """Raises Refused when it never will be."""
        if self.status in FAILED:
            why = self.error_message or self.error or "no reason given"
            raise Refused(f"brightdata: a snapshot is {self.status}: {why[:200]}")
        return self.status == "ready"


class _Notice(Struct, forbid_unknown_fields=True):
    """{"status": "building", "message": "Snapshot is building, try again in 10s"}"""

    status: str
    message: str


def content(answer: Response) -> Sequence[Row | Drop] | None:
    """The rows of an answer; None when it is a notice that it is still building, with status 202 or 200."""
    if answer.status == 202 or _is_notice(answer.body):
        return None
    return list(rows(answer.body, answer.mime))


def _is_notice(body: bytes) -> bool:
    if len(body) > NOTICE:
        return False
    try:
        msgspec.json.decode(body, type=_Notice)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True
