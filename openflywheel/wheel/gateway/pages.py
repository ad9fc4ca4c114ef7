"""Puts the gateway's pages together: all that is not a model's answer."""

from collections.abc import Mapping, Sequence

from openflywheel.base.errors import StoreError
from openflywheel.base.nouns import Signal
from openflywheel.serve._gateway.app import App
from openflywheel.serve._gateway.relay import Log
from openflywheel.serve._gateway.rest import Door, Readiness, rest
from openflywheel.serve._gateway.rest_admin import AdminPages
from openflywheel.serve._gateway.rest_health import HealthPages
from openflywheel.serve._gateway.rest_models import ModelPages
from openflywheel.serve._gateway.rest_openapi import OpenApiPage
from openflywheel.serve._gateway.rest_push import PushPages
from openflywheel.serve._gateway.rest_signals import SignalPages
from openflywheel.serve._gateway.targets import Directory
from openflywheel.serve._upstream.client import Upstream
from openflywheel.wheel.gateway.mailroom import Mailroom
from openflywheel.wheel.gateway.observing import Observers
from openflywheel.wheel.gateway.office import Office, SaidSignals
from openflywheel.wheel.said import Said


def readiness(log: Log) -> Readiness:
    """Why nothing can be kept now; empty when it can."""

    def ready() -> str:
        try:
            log.check()
        except StoreError as error:
            return str(error)
        return ""

    return ready


def pages(
    office: Office,
    mailroom: Mailroom,
    directory: Directory,
    upstreams: Mapping[str, Upstream],
    door: Door,
    ready: Readiness,
    observers: Observers,
    largest: int,
) -> App:
    """Every page, with the description of them all."""

    def heard(signals: Sequence[Signal]) -> None:
        observers.heard(signals, office.replies(signals) if observers.telemetry else {})

    found = [
        *HealthPages(ready, door, observers.metrics.expose).pages(),
        *ModelPages(directory, upstreams).pages(),
        *SignalPages(office, ready, heard, (Said, SaidSignals), largest).pages(),
        *PushPages(mailroom, ready, largest).pages(),
        *AdminPages(office, upstreams, observers.tally).pages(),
    ]
    return rest(door, [*found, *OpenApiPage(found).pages()])
