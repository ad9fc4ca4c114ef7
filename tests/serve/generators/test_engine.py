"""An engine for several who load the same."""

import asyncio

import pytest

from openflywheel.serve._generators.champion import NotLoaded
from openflywheel.serve._generators.engine import Counted
from openflywheel.serve._upstream.chain import Target
from openflywheel.serve._upstream.client import Upstream
from openflywheel.serve.providers import Provider


class Recording:
    """An engine that says what it was told."""

    def __init__(self, *, fails: bool = False) -> None:
        self.told: list[str] = []
        self.fails = fails

    async def load(self, champion):
        await asyncio.sleep(0)
        if self.fails:
            raise NotLoaded("no")
        self.told.append(f"load {champion.place.name}")
        return Target(Upstream("g", Provider(url="http://g/v1")), champion.id)

    async def unload(self, champion):
        self.told.append(f"unload {champion.place.name}")
        await asyncio.sleep(0)

    async def holds(self, champion):
        return True

    async def close(self):
        self.told.append("close")


def test_it_unloads_what_the_last_lets_go_of(named):
    async def main() -> None:
        engine = Recording()
        counted, a = Counted(engine), named("a")
        await counted.load(a)
        await counted.load(a)
        await counted.unload(a)
        assert engine.told == ["load a", "load a"]
        await counted.unload(a)
        assert engine.told[2:] == ["unload a"]

    asyncio.run(main())


def test_what_failed_needs_no_unloading(named):
    async def main() -> None:
        engine = Recording(fails=True)
        counted, a = Counted(engine), named("a")
        with pytest.raises(NotLoaded):
            await counted.load(a)
        engine.fails = False
        await counted.load(a)
        await counted.unload(a)
        assert engine.told == ["load a", "unload a"]

    asyncio.run(main())


def test_back_and_forth_ends_with_it_loaded(named):
    """A rollback to a model that is just being unloaded."""

    async def main() -> None:
        engine = Recording()
        counted, a = Counted(engine), named("a")
        await counted.load(a)
        await asyncio.gather(counted.unload(a), counted.load(a))
        assert engine.told == ["load a", "unload a", "load a"]

    asyncio.run(main())


def test_the_rest_is_the_engines_own(named):
    async def main() -> None:
        engine = Recording()
        counted = Counted(engine)
        assert await counted.holds(named("a"))
        await counted.close()
        assert engine.told == ["close"]

    asyncio.run(main())
