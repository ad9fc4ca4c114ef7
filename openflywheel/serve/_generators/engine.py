"""What every place that serves models can do, and how often a model is wanted there."""

import asyncio
from collections import Counter
from typing import Protocol

from openflywheel.serve._generators.champion import Champion
from openflywheel.serve._upstream.chain import Target


class Engine(Protocol):
    """Loads a model that it has already, or unloads one that it has not, without complaint."""

    async def load(self, champion: Champion) -> Target:
        """Where requests for it go from now on. Raises NotLoaded; whatever served before still does."""
        ...

    async def unload(self, champion: Champion) -> None:
        """Let go of it. Raises NotLoaded when that went wrong."""
        ...

    async def holds(self, champion: Champion) -> bool:
        """Is it still loaded? It is not any more when its process was started anew."""
        ...

    async def close(self) -> None:
        """Let go of everything."""
        ...


class Counted:
    """An engine for those who do not know of each other: unloads what the last of them has let go of."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._lock, self._uses = engine, asyncio.Lock(), Counter[str]()
        self.holds, self.close = engine.holds, engine.close

    async def load(self, champion: Champion) -> Target:
        """As Engine.load; each call wants one of `unload`."""
        async with self._lock:  # one at a time: none may be loaded while it is just being unloaded
            target = await self._engine.load(champion)
            self._uses[champion.id] += 1
            return target

    async def unload(self, champion: Champion) -> None:
        """As Engine.unload, for the last one who loaded it."""
        async with self._lock:
            self._uses[champion.id] -= 1
            if not self._uses[champion.id]:
                await self._engine.unload(champion)
