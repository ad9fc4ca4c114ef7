"""One fine-tuning job of OpenAI's API, with the events that it tells."""

from secrets import token_hex
from typing import Any

from msgspec import Struct, field

from openflywheel.serve._fake.examples import Example
from openflywheel.serve._fake.order import Order

OVER = ("succeeded", "failed", "cancelled")


class Job(Struct, kw_only=True):
    """One job; `since` is when its status began (Unix seconds)."""

    id: str
    order: Order
    created_at: float
    since: float
    status: str = "validating_files"
    error: dict[str, Any] | None = None
    step: int = 0
    steps: int = 0
    tokens: int = 0
    model: str | None = None
    finished_at: float | None = None
    result_files: list[str] = []
    events: list[dict[str, Any]] = field(default_factory=list)
    checkpoints: list[dict[str, Any]] = field(default_factory=list)
    taught: list[Example] = []

    def say(self, message: str, level: str = "info", **data: Any) -> None:
        """An event; with `data` it tells figures."""
        self.events.append(
            {
                "object": "fine_tuning.job.event",
                "id": f"ftevent-{token_hex(12)}",
                "created_at": int(self.since),
                "level": level,
                "message": message,
                "data": data or None,
                "type": "metrics" if data else "message",
            }
        )

    def enter(self, status: str, at: float, said: str, level: str = "info") -> None:
        """Change to a status."""
        self.status, self.since = status, at
        if status in OVER:
            self.finished_at = at
        self.say(said, level)
