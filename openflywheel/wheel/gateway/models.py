"""The flywheel's own models in a gateway process.

The champions of label tasks, the quotes that answer text tasks, and the sentence encoder.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from openflywheel import guard
from openflywheel.base import door
from openflywheel.base.ids import event_id
from openflywheel.base.instruments.encoder import open_encoder
from openflywheel.base.nouns import Exchange
from openflywheel.base.settings import Settings
from openflywheel.store import Store
from openflywheel.store.vectors import CachedEncoder
from openflywheel.wheel.answering import Answering


class OwnModels:
    """What wheel/gateway/desk.py asks; its thread alone may use it."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._encoder = CachedEncoder(open_encoder(settings.encoder), store.path / "vectors.db")
        plugins = {
            room: [door.load(room, chosen.name, chosen.settings) for chosen in settings.rooms.get(room, ())]
            for room in ("guard", "serve")
        }
        self._guards = plugins["guard"]
        self._answering = Answering(settings, store, self._encoder, plugins)

    def answer(
        self, task: str, texts: Sequence[str], people: Sequence[str], beside: Sequence[str]
    ) -> list[Exchange]:
        """One exchange a text, not yet kept; its verdicts are also about what stood beside the text."""
        found = self._answering.answer(task, texts, people, [event_id() for _ in texts])
        return [self._judged(exchange, rest) for exchange, rest in zip(found, beside, strict=True)]

    def _judged(self, exchange: Exchange, beside: str) -> Exchange:
        if not beside:
            return exchange
        _, verdicts = guard.apply(self._guards, beside)
        return replace(exchange, verdicts=(*exchange.verdicts, *verdicts))

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector a text."""
        found: list[list[float]] = self._encoder.encode(texts).tolist()
        return found

    def close(self) -> None:
        self._encoder.close()
