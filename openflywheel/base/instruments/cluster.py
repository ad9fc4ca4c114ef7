"""A Ray cluster that a program is in while a block lasts: one that is there, or one of this machine's own."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import ray
from ray.exceptions import RayError

from openflywheel.base.errors import SettingsError

SECONDS = 10  # for a cluster to answer
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is told to anybody
    # On a busy machine a node's agent needs longer than the 30 s that Ray grants: no node would start.
    "RAY_agent_register_timeout_ms": "240000",
}


@contextmanager
def joined(address: str | None = None) -> Iterator[None]:
    """Be in a cluster within the block. Leave it afterwards, unless the program was in it before.

    address: host:port of a cluster, "auto" for the one that this program or machine is in already, None or
    "local" for one that is started here and ends with the block. Where a cluster asks for a token, Ray reads
    it from RAY_AUTH_TOKEN or ~/.ray/auth_token. Raises SettingsError when no cluster answers there.
    """
    own = not (address == "auto" and ray.is_initialized())
    if own:
        _connect(address or "local")
    try:
        yield
    finally:
        if own:
            ray.shutdown()


def _connect(address: str) -> None:
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    for name in ("ray", "ray.data"):  # what goes wrong is raised; the nodes keep logs of their own
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        if address not in ("local", "auto"):
            host, _, port = address.rpartition(":")
            socket.create_connection((host, int(port)), SECONDS).close()  # Ray itself would try for minutes
        dashboard = False if address == "local" else None
        ray.init(address, include_dashboard=dashboard, log_to_driver=False, configure_logging=False)
    except (OSError, RuntimeError, ValueError, RayError) as error:
        raise SettingsError(
            f"engine: ray: no cluster answers at {address!r}: {error}; `ray start --head` starts one and says"
            " its host:port, and the address local needs none"
        ) from error
