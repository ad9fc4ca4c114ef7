"""The things that travel round the wheel.

A Gap asks for Records; Records make a Dataset; a Dataset teaches a Model; a Model earns Verdicts; a
passed Model serves Exchanges; Exchanges draw Signals; Signals reveal Gaps. Every passage leaves a Step,
and Steps make Readings. Each noun is defined here once: its table and its Arrow schema are derived.
"""

import time
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta, Struct, field

from openflywheel.base.ids import content_id, event_id

Passed = Literal["yes", "no", "inconclusive"]
Role = Literal["train", "validation", "preference", "items", "holdout"]
Source = Literal["user", "expert", "model", "code"]
EXCHANGE = "exchange:"  # begins the uri of a record of own traffic; the exchange's id follows
Whole = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]  # what a column of tables can hold


class Noun(Struct, frozen=True, kw_only=True):
    """What the store keeps: `id` names it, `at` says when it came to be (Unix seconds, UTC)."""

    id: str = ""
    at: float = field(default_factory=time.time)


class Data(Noun, frozen=True, kw_only=True):
    """A noun named by its content: writing it twice writes it once."""

    nameless: ClassVar[frozenset[str]] = frozenset({"id", "at"})

    def __post_init__(self) -> None:
        if not self.id:
            said = {f: _same(getattr(self, f)) for f in self.__struct_fields__ if f not in self.nameless}
            msgspec.structs.force_setattr(
                self, "id", content_id(type(self).__name__, msgspec.json.encode(said, order="deterministic"))
            )


def _same(value: Any) -> Any:
    """1 and 1.0 say the same, so they name the same."""
    return float(value) if type(value) is int else value


class Event(Noun, frozen=True, kw_only=True):
    """A noun named by its moment (UUIDv7)."""

    def __post_init__(self) -> None:
        if not self.id:
            msgspec.structs.force_setattr(self, "id", event_id(self.at))


class Part(Struct, frozen=True, kw_only=True):
    """A piece of media, kept by reference: `digest` is the sha256 of the bytes in the object store."""

    mime: str
    uri: str
    digest: str


class Gap(Data, frozen=True, kw_only=True):
    """Something we cannot answer well yet: the order form for collect."""

    topic: str
    why: str
    task: str = ""
    queries: tuple[str, ...] = ()
    weight: float = 1.0
    budget: Whole = 0
    evidence: tuple[str, ...] = ()


class Record(Data, frozen=True, kw_only=True):
    """One unit of data of any kind, with where it came from and what it may be used for.

    `labels` maps task to label; `labelled_by` is the kind of person who said so ("seed", "user",
    "expert"). `basis` is the legal basis under which it was collected (GDPR, article 6), `meta` holds facts
    of the thing itself ("title", "published", "price", ...).
    """

    text: str
    source: str
    uri: str = ""
    parts: tuple[Part, ...] = ()
    subject: str = ""
    purposes: tuple[str, ...] = ()
    basis: str = ""
    region: str = ""
    license: str = ""
    meta: dict[str, str] = {}
    labels: dict[str, str] = {}
    labelled_by: str = ""
    expires_at: float | None = None
    parents: tuple[str, ...] = ()


class Row(Record, frozen=True, kw_only=True):
    """A Record after curation: what a Dataset is made of. `parents` names the records it came from.

    `weight` says how much it counts in training, against 1 for an ordinary row; `recipe` is the hash of the
    curation that made it.
    """

    role: Role = "train"
    weight: float = 1.0
    recipe: str = ""


class Dataset(Data, frozen=True, kw_only=True):
    """A frozen, named set of rows; its id is its version (hash of rows and recipe)."""

    name: str
    task: str
    role: Role
    rows: tuple[str, ...]
    recipe: str


class Model(Data, frozen=True, kw_only=True):
    """A model we could serve, and what it was taught with; `report` holds its figures on validation."""

    nameless: ClassVar[frozenset[str]] = frozenset({"id", "at", "cost", "uri"})

    name: str
    task: str
    base: str
    method: str
    taught_by: tuple[str, ...]
    uri: str = ""
    cost: float = 0.0
    report: dict[str, float] = {}


class Verdict(Data, frozen=True, kw_only=True):
    """One check's opinion of one thing: gates, guards and the promotion itself all speak it."""

    check: str
    about: str
    passed: Passed
    task: str = ""
    against: str = ""
    score: float | None = None
    low: float | None = None
    high: float | None = None
    n: Whole = 0
    reason: str = ""


class Exchange(Event, frozen=True, kw_only=True):
    """One question and its answer. An empty `output` means that it was handed to a person.

    `variant` names the model that answered (or proposed `choices`), `confidence` is its calibrated
    probability of being right, `propensity` the chance with which this variant was chosen, `cost` is in
    the currency of the task's costs, `latency` in seconds. `ended` says why an answer is not whole (it is
    empty when it is): "disconnected", "cut", "failed".
    """

    episode: str
    task: str
    input: str
    output: str
    variant: str
    subject: str = ""
    tenant: str = ""
    propensity: float = 1.0
    confidence: float = 0.0
    choices: tuple[str, ...] = ()
    tokens: Whole = 0
    cost: float = 0.0
    latency: float = 0.0
    ended: str = ""
    verdicts: tuple[Verdict, ...] = ()
    settings: str = ""


class Attempt(Struct, frozen=True, kw_only=True):
    """One try at a provider: `status` is 0 when no answer came, `error` then says why."""

    provider: str
    model: str
    status: Whole = 0
    seconds: float = 0.0
    error: str = ""


class Call(Event, frozen=True, kw_only=True):
    """What went over the wire for an Exchange, byte for byte; it has the Exchange's id.

    `surface` is the API that the client spoke ("chat", "responses", "messages", "embeddings"), `reply` the
    id that the provider gave its answer, `variables` what the prompt was rendered from. Token counts are
    `estimated` when the provider told none. `key` is the id of the API key that asked.
    """

    surface: str
    request: bytes = b""
    response: bytes = b""
    status: Whole = 0
    stream: bool = False
    reply: str = ""
    variables: dict[str, str] = {}
    attempts: tuple[Attempt, ...] = ()
    input_tokens: Whole = 0
    output_tokens: Whole = 0
    estimated: bool = False
    key: str = ""


class Signal(Data, frozen=True, kw_only=True):
    """How one exchange went, or a whole episode when `exchange` is empty.

    `value` goes from -1 (bad) to 1 (good), `correction` is what was right, `outcome` what came of it
    ("bought", "returned", ...), `over` names the exchanges that were not chosen. `key` and `network` (an
    opaque name of an address block) say where it came from, so that no single origin weighs too much.
    """

    exchange: str
    kind: str
    value: float
    source: Source
    explicit: bool
    task: str = ""
    episode: str = ""
    subject: str = ""
    correction: str = ""
    comment: str = ""
    outcome: str = ""
    over: tuple[str, ...] = ()
    key: str = ""
    network: str = ""

    @property
    def about(self) -> str:
        """The exchange, or else the episode, that it is about."""
        return self.exchange or self.episode


class Step(Event, frozen=True, kw_only=True):
    """One passage through one room: all that the wheel knows about itself."""

    turn: Whole
    room: str
    took: Whole
    gave: Whole = 0
    dropped: dict[str, Whole] = {}
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    cost: float = 0.0
    provider: str = ""
    settings: str = ""
    error: str = ""


class Reading(Event, frozen=True, kw_only=True):
    """One number about the wheel, with its interval and its unit."""

    name: str
    value: float
    turn: Whole = 0
    task: str = ""
    low: float | None = None
    high: float | None = None
    unit: str = ""
    note: str = ""


class Drop(Struct, frozen=True):
    """What a room gives instead of a noun that must not go on."""

    reason: str


class Fault(Struct, frozen=True):
    """What went wrong in a part of a room whose other parts went on: goes into the Step's `error`."""

    said: str


class Paid(Struct, frozen=True):
    """What a provider took for its work, in the currency of `wheel.budget.dollars`: goes into the Step.

    With a `run`, a name, it is all that the run has taken so far: the room books what is new of it, once.
    """

    dollars: float
    provider: str
    run: str = ""


class Arrow(Struct, frozen=True, kw_only=True):
    """What a room waits for, what it gives, and what else it may look at.

    A `stateful` room is given a `state` that is kept with what it gives, in one transaction.
    """

    takes: type[Noun]
    gives: type[Noun]
    given: tuple[type[Noun], ...] = ()
    stateful: bool = False


KINDS: tuple[type[Noun], ...] = (
    Gap, Record, Row, Dataset, Model, Verdict, Exchange, Call, Signal, Step, Reading,
)  # fmt: skip


def table_of(kind: type[Noun]) -> str:
    """Name of the table that holds a kind of noun: "gap", "record", ..."""
    return kind.__name__.lower()


def changed(noun: Any, **fields: Any) -> Any:
    """Copy of a content-named noun with other fields, so with another id; the old one is its parent."""
    if "parents" in noun.__struct_fields__:
        fields.setdefault("parents", (*noun.parents, noun.id))
    return msgspec.structs.replace(noun, id="", **fields)
