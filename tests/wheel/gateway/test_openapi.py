"""The gateway against its own description."""

import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openflywheel.serve._gateway.surfaces import SURFACES

EXAMPLES = 8  # of each operation: the whole run stays under a minute of CPU


@pytest.fixture
def described(gate: Any) -> dict[str, Any]:
    found: dict[str, Any] = gate.http().get("/openapi.json").json()
    return found


def operations(described: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    }


def test_every_route_is_described(described: dict[str, Any]) -> None:
    assert described["openapi"] == "3.1.0"
    assert set(operations(described)) == {
        *(f"POST {path}" for path in SURFACES),
        "GET /healthz", "GET /readyz", "GET /metrics", "GET /openapi.json",
        "GET /v1/models", "GET /v1/models/{id}", "POST /v1/signals", "GET /v1/exchanges/{id}",
        "POST /v1/collect/{source}",
        "GET /admin/providers", "GET /admin/status",
        "GET /admin/keys", "POST /admin/keys", "DELETE /admin/keys/{id}",
    }  # fmt: skip


def test_names_of_operations_are_unique(described: dict[str, Any]) -> None:
    names = [operation["operationId"] for operation in operations(described).values()]
    assert len(names) == len(set(names))


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]

    def references(found: Any) -> set[str]:
        if isinstance(found, dict):
            own = {found["$ref"]} if "$ref" in found else set()
            return own.union(*map(references, found.values()))
        return set().union(*map(references, found)) if isinstance(found, list) else set()

    named = {reference.removeprefix("#/components/schemas/") for reference in references(described)}
    assert named <= set(schemas)
    assert {"ModelRequest", "Said", "Exchange", "Signal", "NewKey", "Error"} <= named


def test_shapes_come_from_what_is_checked(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    assert schemas["Said"]["additionalProperties"] is False
    assert schemas["ModelRequest"]["required"] == ["model"]
    assert "additionalProperties" not in schemas["ModelRequest"]  # unknown parameters pass through
    assert {"messages", "stream", "flywheel"} <= set(schemas["ModelRequest"]["properties"])


def test_what_needs_a_key_says_so(described: dict[str, Any]) -> None:
    found = {name: operation.get("x-scope", "") for name, operation in operations(described).items()}
    assert {name for name, scope in found.items() if scope == "admin"} == {
        "GET /admin/keys", "POST /admin/keys", "DELETE /admin/keys/{id}",
    }  # fmt: skip
    assert {} in operations(described)["GET /admin/status"]["security"]
    assert {} not in operations(described)["GET /admin/keys"]["security"]
    assert found["POST /v1/chat/completions"] == "infer"
    assert found["GET /healthz"] == ""


@pytest.mark.slow
@pytest.mark.parametrize("scope", ["", "infer", "signal", "operate", "admin"])
def test_no_request_makes_the_gateway_fail(
    gate: Any, until: Callable[..., Any], tmp_path: Path, scope: str
) -> None:
    """Requests that schemathesis makes of the description: right ones, wrong ones, and what lies between."""
    checks = "not_a_server_error,content_type_conformance,response_schema_conformance"
    command = [
        str(Path(sysconfig.get_path("scripts"), "schemathesis")), "run", f"{gate.root}/openapi.json",
        "--checks", checks, "--phases", "fuzzing", "--max-examples", str(EXAMPLES), "--seed", "1",
        "--request-timeout", "30", "--no-color", "--generation-database", "none",
    ]  # fmt: skip
    if scope:
        secret = gate.key(scope)
        until(lambda: gate.http().get("/admin/keys").status_code == 401 and _known(gate, secret))
        command += ["--header", f"authorization: Bearer {secret}"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert "18" in run.stdout


def _known(gate: Any, secret: str) -> bool:
    """Has the running gateway read the new key?"""
    status = gate.http().get("/v1/models", headers={"authorization": f"Bearer {secret}"}).status_code
    return bool(status != 401)
