"""The HTTP gateway: where it listens, what it keeps, what it lets in."""

from typing import Literal

from msgspec import Struct

from openflywheel.base.errors import SettingsError

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class GatewaySettings(Struct, frozen=True, kw_only=True):
    """The table `serve: gateway:`, see `gateway`."""

    host: str = "127.0.0.1"
    port: int = 8300
    workers: int = 1
    durability: Literal["disk", "process"] = "disk"
    largest_request: int = 32_000_000
    spare_disk: int = 64_000_000
    subject_rate: str = ""
    certificate: str = ""
    private_key: str = ""
    drain: float = 30.0
    telemetry: bool = False
    content: bool = False


def gateway(
    *,
    host: str = "127.0.0.1",
    port: int = 8300,
    workers: int = 1,
    durability: Literal["disk", "process"] = "disk",
    largest_request: int = 32_000_000,
    spare_disk: int = 64_000_000,
    subject_rate: str = "",
    certificate: str = "",
    private_key: str = "",
    drain: float = 30.0,
    telemetry: bool = False,
    content: bool = False,
) -> GatewaySettings:
    """Where `flywheel serve` listens and how.

    `durability`: an answer leaves once its row survives a power cut ("disk") or the death of the process
    ("process"). Requests above `largest_request` bytes are refused; so are all when less than `spare_disk`
    bytes of disk are left. `subject_rate` ("60/m") bounds each subject whatever its key. `certificate` and
    `private_key` are files in PEM for TLS. On SIGTERM running requests get `drain` seconds. `telemetry`:
    send OpenTelemetry spans, metrics and events to $OTEL_EXPORTER_OTLP_ENDPOINT; `content`: with prompts and
    answers. Raises SettingsError.
    """
    if workers < 1:
        raise SettingsError(f"serve.gateway: workers = {workers}; one is the least")
    if bool(certificate) != bool(private_key):
        raise SettingsError("serve.gateway: TLS needs both: certificate and private_key")
    return GatewaySettings(
        host=host, port=port, workers=workers, durability=durability, largest_request=largest_request,
        spare_disk=spare_disk, subject_rate=subject_rate, certificate=certificate, private_key=private_key,
        drain=drain, telemetry=telemetry, content=content,
    )  # fmt: skip
