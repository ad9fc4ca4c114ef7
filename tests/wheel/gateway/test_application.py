"""The gateway put together: what it refuses at the start, what it opens, what it closes again."""

import asyncio
import sys
from contextlib import AsyncExitStack

import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.base.settings import read
from openflywheel.wheel.gateway.application import Application, opened
from openflywheel.wheel.tables import check, gateway_settings, routes


@pytest.mark.parametrize(
    ("serve", "said"),
    [
        ({"routes": {"anser": {"variants": {"a": {"model": "up/x"}}}}}, "answer"),
        ({"routes": {"route": {"variants": {"a": {"model": "up/x"}}}}}, "no text task 'route'"),
        ({"routes": {"answer": {"variants": {"a": {"model": "upp/x"}}}}}, "names no provider"),
        ({"routes": {"answer": {"fallback": ["x"]}}}, "names no provider"),
        ({"cascade": {"route": {"else": "upp/x"}}}, "names no provider"),
        ({"providers": {"up": {"url": "localhost:1"}}}, "http"),
    ],
)
def test_settings_that_cannot_be(written, serve, said):
    settings = read(written(serve=serve))
    with pytest.raises(SettingsError, match=said):
        check(settings)


def test_the_usual_settings(written):
    settings = read(written())
    check(settings)
    assert list(routes(settings)["answer"].variants) == ["small"]
    assert gateway_settings(settings).spare_disk == 0


def lifespan(application: Application) -> list[dict]:
    """What the application tells a server that starts it and stops it at once."""
    told: list[dict] = []

    async def live() -> None:
        asked = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

        async def receive() -> dict:
            return next(asked)

        async def send(message: dict) -> None:
            told.append(message)

        await application({"type": "lifespan"}, receive, send)

    asyncio.run(live())
    return told


def test_it_starts_and_stops(written):
    told = lifespan(Application(read(written())))
    assert [m["type"] for m in told] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_store_that_cannot_be_opened_stops_the_server(written, tmp_path):
    (tmp_path / "wheel").write_text("in the way")
    [told] = lifespan(Application(read(written())))
    assert told["type"] == "lifespan.startup.failed"
    assert "wheel" in told["message"]


def test_nothing_is_left_open(written):
    async def open_and_close() -> set:
        async with AsyncExitStack() as opening:
            await opened(read(written()), opening)
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert not asyncio.run(open_and_close())


@pytest.mark.slow
def test_a_worker_does_not_load_what_only_models_need(written, elsewhere):
    code = (
        "import asyncio, sys; from contextlib import AsyncExitStack\n"
        "from openflywheel.base.settings import read\n"
        "from openflywheel.wheel.gateway.application import opened\n"
        "async def go():\n"
        "    async with AsyncExitStack() as opening: await opened(read(sys.argv[1]), opening)\n"
        "asyncio.run(go())\n"
        "print(sorted({'numpy', 'pyarrow', 'onnxruntime', 'aiohttp', 'deltalake'} & set(sys.modules)))"
    )
    out, _ = elsewhere(code, written()).communicate(timeout=60)
    assert out == "[]\n", sys.version
