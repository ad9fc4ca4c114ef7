"""What a test tells the far sides to do, what they were asked, and what it would have cost."""

from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from openflywheel.base.errors import SettingsError

Count = Annotated[int, Meta(ge=0)]
Seconds = Annotated[float, Meta(ge=0)]
SECRET = frozenset({"authorization", "x-subscription-token", "x-api-key", "cookie"})
KEPT = 10_000  # requests that are remembered


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What requests get whose path begins with `path`: only the `nth` of them, or the first so many."""

    path: str = "/"
    nth: Annotated[int, Meta(ge=1)] | None = None
    times: Count | None = None
    latency: Seconds = 0.0
    status: Annotated[int, Meta(ge=200, le=599)] | None = None
    message: str = "told to fail"
    retry_after: Count | None = None


class Script(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that the far sides are told. Without `keys` any key is welcome, but one is needed.

    `looks`: how often a job is looked at before it is ready; `late`: how often its content is still building
    then; `ends`: how jobs end. `errors`: every so many rows an error row comes first (0: never). `form`: what
    a snapshot is sent as, whatever was asked for. `jobs`: how many may run at once; `per_second`: queries
    that Brave answers; `price`: dollars for a record; `folder`: where deliveries of type "local" go.
    """

    rules: tuple[Rule, ...] = ()
    keys: tuple[str, ...] = ()
    looks: Count = 2
    late: Count = 1
    ends: Literal["ready", "failed", "canceled"] = "ready"
    errors: Count = 5
    form: Literal["asked", "json", "ndjson", "csv"] = "asked"
    jobs: Count = 100
    per_second: Count = 50
    price: Seconds = 0.0025
    folder: str = ""


class Asked(Struct, frozen=True, kw_only=True):
    """A request as it came; the values of secret headers are "***"."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: str


class Desk:
    """One script, with what has happened under it. `memory` belongs to the far sides, by their names."""

    def __init__(self, script: Script | None = None) -> None:
        self.put(script or Script())

    def put(self, script: Script) -> None:
        """Play another script, from an empty beginning."""
        self.script = script
        self.asked: deque[Asked] = deque(maxlen=KEPT)
        self.dollars = 0.0
        self.records = 0
        self.memory: dict[str, Any] = {}
        self._met = [0] * len(script.rules)

    def charge(self, records: int, price: float) -> None:
        """So many records were sold."""
        self.records += records
        self.dollars = round(self.dollars + records * price, 10)

    def knows(self, key: str) -> bool:
        """Is a key let in?"""
        return bool(key) and (not self.script.keys or key in self.script.keys)

    def rule(self, path: str) -> Rule | None:
        """The first rule that takes a request, if any does."""
        for number, rule in enumerate(self.script.rules):
            if path.startswith(rule.path):
                self._met[number] += 1
                met = self._met[number]
                if rule.nth in (None, met) and (rule.times is None or met <= rule.times):
                    return rule
        return None

    def folder(self) -> Path | None:
        """Where local deliveries go."""
        return Path(self.script.folder) if self.script.folder else None


def parse(told: bytes | Mapping[str, Any]) -> Script:
    """A script of JSON text or of plain data. Raises SettingsError."""
    try:
        return (
            msgspec.json.decode(told, type=Script)
            if isinstance(told, bytes)
            else msgspec.convert(told, Script)
        )
    except msgspec.MsgspecError as error:
        fields = ", ".join(f.name for f in msgspec.structs.fields(Script))
        raise SettingsError(f"the sources' script cannot be used: {error}; its fields: {fields}") from None
