"""The endpoints that steer a fake provider and tell what it received, under /fake/."""

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from openflywheel.base.errors import SettingsError
from openflywheel.serve._fake.script import parse
from openflywheel.serve._fake.stage import Stage


def control(stage: Stage) -> Starlette:
    """The application that answers under /fake/."""

    async def script(request: Request) -> Response:
        try:
            stage.put(parse(await request.body()))
        except SettingsError as error:
            return _json({"error": str(error)}, 400)
        return _json(stage.script)

    async def requests(request: Request) -> Response:
        if request.method == "DELETE":
            stage.clear()
            return Response(status_code=204)
        return _json(stage.ledger.requests())

    async def prices(_: Request) -> Response:
        return _json(stage.script.prices)

    async def bill(_: Request) -> Response:
        return _json(stage.bill())

    return Starlette(
        routes=[
            Route("/fake/script", script, methods=["PUT"]),
            Route("/fake/requests", requests, methods=["GET", "DELETE"]),
            Route("/fake/prices", prices),
            Route("/fake/bill", bill),
        ]
    )


def _json(data: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(data), status, media_type="application/json")
