"""A loaded model is free when its last request is over."""

import asyncio

from openflywheel.serve._generators.held import Held


def test_without_requests_it_is_free():
    asyncio.run(asyncio.wait_for(Held("m", None).free(), 10))


def test_it_waits_for_the_last_request():
    async def main() -> None:
        held = Held("m", None)
        with held:
            freed = asyncio.create_task(held.free())
            with held:
                await asyncio.sleep(0)
            await asyncio.sleep(0.01)
            assert not freed.done()
        await asyncio.wait_for(freed, 10)

    asyncio.run(main())


def test_a_request_that_fails_is_over_too():
    async def main() -> None:
        held = Held("m", None)
        freed = None
        try:
            with held:
                freed = asyncio.create_task(held.free())
                await asyncio.sleep(0)
                raise OSError
        except OSError:
            await asyncio.wait_for(freed, 10)

    asyncio.run(main())
