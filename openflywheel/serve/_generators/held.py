"""A model that is loaded, and the requests that need it still."""

import asyncio

from openflywheel.serve._upstream.chain import Target


class Held:
    """`with held:` stands around each request that it answers. `target` None: the own desk answers."""

    def __init__(self, model: str, target: Target | None) -> None:
        self.model, self.target = model, target
        self._users = 0
        self._free: asyncio.Future[None] | None = None

    def __enter__(self) -> None:
        self._users += 1

    def __exit__(self, *_: object) -> None:
        self._users -= 1
        if self._free and not self._users and not self._free.done():
            self._free.set_result(None)

    async def free(self) -> None:
        """Wait until the last request is over; new ones must go elsewhere by now."""
        if self._users:
            self._free = asyncio.get_running_loop().create_future()
            await self._free
