"""Models that transformers runs, behind one address: the plain way, for machines without anything better."""

import socket
from pathlib import Path
from threading import Thread

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from openflywheel.base.forms import generator
from openflywheel.base.instruments import checkpoint
from openflywheel.serve._generators import chat
from openflywheel.serve._generators.batching import Writer
from openflywheel.serve._generators.champion import Champion
from openflywheel.serve.generators import Generator


class Hosting:
    """The models of this process; those that wait for the same one are answered together."""

    def __init__(self, settings: Generator, workspace: Path, folder: Path) -> None:
        del workspace  # it makes no files
        _, transformers = checkpoint.libraries()
        transformers.utils.logging.disable_progress_bar()
        self._folder, self._hubs = folder, (settings.base,)
        self._writers: dict[str, Writer] = {}
        listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
        self._url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        app = Starlette(routes=[Route("/v1/chat/completions", self._answer, methods=["POST"])])
        self._server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
        self._thread = Thread(target=self._server.run, args=([listening],), name="http")
        self._thread.start()

    def load(self, champion: Champion) -> str:
        """Raises StoreError, MissingExtra."""
        if champion.id not in self._writers:
            opened = generator.opened(champion.place, folder=self._folder, hubs=self._hubs)
            self._writers[champion.id] = Writer(opened)
        return self._url

    def special(self, champion: Champion) -> tuple[str, ...]:
        """None: its chats are cleaned here (base/instruments/template.py)."""
        del champion
        return ()

    def unload(self, champion: Champion) -> None:
        """Let go of the model."""
        if champion.id in self._writers:
            self._writers.pop(champion.id).close()

    def close(self) -> None:
        """Stop."""
        self._server.should_exit = True
        self._thread.join()
        while self._writers:
            self._writers.popitem()[1].close()

    async def _answer(self, request: Request) -> Response:
        try:
            question = chat.decode(await request.body())
            messages = [message.plain() for message in question.messages]
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            return _refused(400, str(error))
        if question.n not in (None, 1):
            return _refused(400, f"n = {question.n}; this model gives one answer, the likeliest")
        if question.model not in self._writers:
            return _refused(404, f"there is no model {question.model!r}")
        try:
            text = await self._writers[question.model].write(messages, question.most_tokens)
        except Exception as error:  # one chat may be wrong in many ways; the others go on
            return _refused(500, f"{type(error).__name__}: {error}")
        if question.stream:
            return Response(b"".join(chat.stream(question, text)), media_type="text/event-stream")
        return Response(chat.whole(question, text), media_type="application/json")


def _refused(status: int, why: str) -> Response:
    return Response(chat.error(status, why), status, media_type="application/json")
