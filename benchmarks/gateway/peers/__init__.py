"""The gateways that are compared: a file each, all of one shape."""

from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from benchmarks.gateway.upstream import Upstream

PEERS = ("litellm", "nginx", "portkey", "tensorzero")


class Peer(Protocol):
    """A gateway. MODEL is what it calls the upstream's model; LOG says how it logs."""

    __name__: str
    NAME: str
    INSTALL: str
    LOG: str
    PATH: str
    MODEL: str

    def installed(self) -> str | None:
        """Its version, or None where it is not installed."""

    def command(self, folder: Path, upstream: Upstream, port: int) -> list[str]:
        """Write its settings into a folder; returns what starts it there, one worker on a port."""

    def headers(self, upstream: Upstream) -> dict[str, str]:
        """What a request needs beside the usual headers."""

    def kept(self, folder: Path) -> set[str]:
        """Markers of requests, or ids of exchanges, that its log holds."""


def peer(name: str) -> Peer:
    """A peer by the name of its file."""
    return cast(Peer, import_module(f"benchmarks.gateway.peers.{name}"))
