"""The flywheel: ask, signal, turn, read."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from openflywheel import guard, signals
from openflywheel.base import door
from openflywheel.base.champion import champions
from openflywheel.base.errors import UnknownExchange, UnknownTask, suggest
from openflywheel.base.ids import event_id
from openflywheel.base.instruments.encoder import open_encoder
from openflywheel.base.nouns import Exchange, Gap, Model, Reading, Signal, Step, Verdict
from openflywheel.base.settings import Settings, read
from openflywheel.store import Store
from openflywheel.store.lease import lease
from openflywheel.store.vectors import CachedEncoder, Encoder
from openflywheel.wheel import durable
from openflywheel.wheel.answering import Answering
from openflywheel.wheel.handed import Handed
from openflywheel.wheel.hearing import hear
from openflywheel.wheel.overview import newest_readings
from openflywheel.wheel.ring import TURN, advance
from openflywheel.wheel.said import Said, Speaker


class Flywheel:
    """One wheel with its store. Open it, ask, tell it how that went, let it turn.

        with Flywheel.open("flywheel.yaml") as wheel:
            exchange = wheel.ask("route", "where is my parcel?", subject="ann@example.com")
            wheel.signal(exchange, rating=-1, correction="track_order")
            wheel.turn()

    `ask` and `signal` may be called from many threads, also while a turn runs.
    """

    def __init__(self, settings: Settings, *, encoder: Encoder | None = None) -> None:
        self.settings = settings
        self.store = Store.of(settings)
        self.encoder = CachedEncoder(
            encoder or open_encoder(settings.encoder), self.store.path / "vectors.db"
        )
        self.handed = Handed(settings, self.store, self.encoder)
        self.plugins = self.handed.plugins()
        self._answering = Answering(settings, self.store, self.encoder, self.plugins)
        self._each: Callable[[Step], object] | None = None
        url = settings.database or durable.local_url(self.store.path)
        self._durable = durable.Wheel(settings.name, url, self._advance)
        self.store.append([Gap(topic=task, why="cold start", task=task) for task in settings.tasks])

    @classmethod
    def open(cls, path: str | Path = "flywheel.yaml") -> Self:
        """Open the wheel that a settings file describes. Raises SettingsError, EncoderError, StoreError."""
        return cls(read(path))

    def ask(self, task: str, input: str, *, subject: str = "", episode: str = "") -> Exchange:
        """Answer a question. An empty `output` means that a person should answer.

        `subject` is whoever asks (kept as an opaque key), `episode` the conversation it belongs to. A text
        task is answered by its variant flywheel/extractive. Raises UnknownTask, and SettingsError for a text
        task without that variant.
        """
        return self.ask_many(task, [input], subjects=[subject], episodes=[episode])[0]

    def ask_many(
        self, task: str, inputs: Sequence[str], *, subjects: Sequence[str] = (), episodes: Sequence[str] = ()
    ) -> list[Exchange]:
        """Answer many questions at once: one embedding pass, one commit. Raises UnknownTask."""
        self.known_task(task)
        people = [self.store.key_of(s) for s in subjects] or [""] * len(inputs)
        talks = [e or event_id() for e in episodes] or [event_id() for _ in inputs]
        exchanges = self._answering.answer(task, inputs, people, talks)
        self.store.append(exchanges)
        return exchanges

    def signal(
        self,
        exchange: Exchange | str = "",
        *,
        episode: str = "",
        rating: float | bool | None = None,
        stars: str | None = None,
        correction: str = "",
        demonstration: str = "",
        choice: str = "",
        over: Sequence[str] = (),
        outcome: str = "",
        value: float | None = None,
        label: str = "",
        comment: str = "",
        subject: str = "",
        source: Speaker | None = None,
        at: float | str | None = None,
        id: str = "",
        address: str = "",
    ) -> list[Signal]:
        """Tell how an exchange, or a whole `episode`, went; saying the same twice counts once.

        What each word means stands at `said.Said`. The `source` is a user, of a `label` an expert.
        Raises UnknownExchange, SettingsError.
        """
        name = exchange.id if isinstance(exchange, Exchange) else exchange
        speaker = source or ("expert" if label else "user")
        one = Said(
            exchange=name, episode=episode, rating=rating, stars=stars, correction=correction,
            demonstration=demonstration, choice=choice, over=tuple(over), outcome=outcome, value=value,
            label=label, comment=comment, subject=subject, source=speaker, at=at, id=id, address=address,
        )  # fmt: skip
        return self.hear([one])

    def hear(self, said: Sequence[Said], *, key: str = "") -> list[Signal]:
        """Keep what was said, all or nothing; `key` is the id of the API key that says it.

        Raises UnknownExchange, SettingsError.
        """
        detect = partial(guard.apply, self.plugins.get("guard", []))
        heard = hear(self.store, self.settings.tasks, detect, said, key=key)
        self.store.append(heard.signals, heard.statements)
        return heard.signals

    def exchange(self, id: str) -> Exchange:
        """An exchange by its id. Raises UnknownExchange."""
        found = self.store.get(Exchange, [id])
        if id not in found:
            raise UnknownExchange(f"there is no exchange {id!r} in {self.store.path}")
        return found[id]

    def turn(self, each: Callable[[Step], object] | None = None) -> list[Step]:
        """Turn the wheel once; returns one Step a room. Raises WheelBusy when another process turns it.

        A turn that was killed before its end is finished instead. `each` is called with every new Step.
        """
        with lease(self.store.path / "turn.lock", f"the wheel {self.settings.name!r}"):
            self._each = each
            steps = durable.run_turn(self._durable, TURN, self.store.last_turn() + 1)
            self.store.thin("signals", signals.MARKS)
            self.store.trim(TURN)
        return steps

    def advance(self, room: str) -> Step:
        """Let a single room work on what is new for it. Raises WheelBusy, UnknownPlugin."""
        door.names(room)
        with lease(self.store.path / "turn.lock", f"the wheel {self.settings.name!r}"):
            return self._pass(room, event_id(), self.store.last_turn() + 1)

    def _advance(self, room: str, turn: int) -> Step:
        step = self._pass(room, f"{turn:06d}-{room}", turn)
        if self._each:
            self._each(step)
        return step

    def _pass(self, room: str, name: str, turn: int) -> Step:
        extra = self.handed.to_room(room)
        return advance(self.store, room, name, turn, self.plugins, extra, self.settings.version)

    def readings(self) -> list[Reading]:
        """The newest reading of each name and task, by name."""
        return newest_readings(self.store)

    def champion(self, task: str) -> Model | None:
        """The model that answers a task; None before the first promotion. Raises UnknownTask."""
        self.known_task(task)
        serving = champions(self.store.all(Verdict)).get(task, "")
        return self.store.get(Model, [serving]).get(serving)

    def known_task(self, task: str) -> None:
        """Raises UnknownTask for a task that there is not."""
        if task not in self.settings.tasks:
            raise UnknownTask(f"there is no task {task!r}; {suggest(task, self.settings.tasks)}")

    def close(self) -> None:
        """Bring the lake up to date and let go of all the files."""
        durable.release(self._durable)
        self.handed.web.close()
        self.encoder.close()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
