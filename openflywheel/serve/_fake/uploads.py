"""OpenAI's /v1/files: what was uploaded, kept in memory."""

import re
import time
from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from openflywheel.serve._fake.problem import Problem

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
LARGEST = 512_000_000  # bytes of one file
MOST = 10_000  # files on one page of the list

T = TypeVar("T")


class Upload(Struct, kw_only=True):
    """One file. `status` is what the API calls deprecated and still tells."""

    id: str
    filename: str
    purpose: str
    content: bytes
    created_at: int = msgspec.field(default_factory=lambda: int(time.time()))

    def told(self) -> dict[str, Any]:
        """The `file` object of the API."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": self.created_at,
            "expires_at": None,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
            "status_details": None,
        }


class Uploads:
    """All files, oldest first."""

    def __init__(self) -> None:
        self._files: dict[str, Upload] = {}

    def clear(self) -> None:
        """Forget them all."""
        self._files.clear()

    def add(self, filename: str, purpose: str, content: bytes) -> Upload:
        """Keep a file."""
        upload = Upload(id=f"file-{token_hex(11)}", filename=filename, purpose=purpose, content=content)
        self._files[upload.id] = upload
        return upload

    def receive(self, kind: str, body: bytes) -> dict[str, Any]:
        """POST: a form of "purpose" and "file". Raises Problem."""
        fields = form(kind, body)
        purpose = fields.get("purpose", ("", b""))[1].decode(errors="replace")
        if purpose not in PURPOSES:
            said = f"'{purpose}' is not one of {list(PURPOSES)} - 'purpose'"
            raise Problem(400, said, param="purpose", code="invalid_value")
        if "file" not in fields:
            raise Problem(
                400, "Missing required parameter: 'file'.", param="file", code="missing_required_parameter"
            )
        filename, content = fields["file"]
        _check(filename, purpose, content)
        return self.add(filename, purpose, content).told()

    def find(self, id: str) -> Upload:
        """A file. Raises Problem."""
        if id not in self._files:
            raise Problem(404, f"No such File object: {id}", param="id")
        return self._files[id]

    def delete(self, id: str) -> dict[str, Any]:
        """DELETE: forget it. Raises Problem."""
        del self._files[self.find(id).id]
        return {"id": id, "object": "file", "deleted": True}

    def list(self, query: Mapping[str, str]) -> dict[str, Any]:
        """GET: `purpose`, `order`, `after`, `limit` of the query; the newest first, unless "asc"."""
        files = [f for f in self._files.values() if f.purpose == query.get("purpose", f.purpose)]
        ordered = files if query.get("order") == "asc" else files[::-1]
        return page([f.told() for f in ordered], query, MOST)


def page(things: Sequence[dict[str, Any]], query: Mapping[str, str], usual: int) -> dict[str, Any]:
    """A page of a list, by the `after` and `limit` of the query. Raises Problem."""
    limit = query.get("limit", str(usual))
    if not limit.isdecimal() or not int(limit):
        said = f"Invalid value for 'limit': expected a number above 0, but got {limit} instead."
        raise Problem(400, said, param="limit", code="invalid_value")
    ids = [thing["id"] for thing in things]
    start = ids.index(query["after"]) + 1 if query.get("after") in ids else 0
    found = things[start : start + int(limit)]
    return {
        "object": "list",
        "data": found,
        "has_more": start + len(found) < len(things),
        "first_id": found[0]["id"] if found else None,
        "last_id": found[-1]["id"] if found else None,
    }


def form(kind: str, body: bytes) -> dict[str, tuple[str, bytes]]:
    """Fields of a multipart form (RFC 7578): name -> file name, content. Raises Problem."""
    boundary = re.search(r'boundary="?([^";]+)"?', kind)
    if not kind.startswith("multipart/form-data") or boundary is None:
        raise Problem(400, "We could not parse your request: a multipart/form-data body is expected.")
    fields = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary[1].encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        said = dict(re.findall(r'\b(name|filename)="([^"]*)"', head.decode(errors="replace")))
        fields[said.get("name", "")] = (said.get("filename", ""), content)
    return fields


def _check(filename: str, purpose: str, content: bytes) -> None:
    if len(content) > LARGEST:
        raise Problem(413, f"File is too large. Max file size is {LARGEST // 1_000_000} MB", param="file")
    if purpose == "fine-tune" and not filename.endswith(".jsonl"):
        raise Problem(400, "Invalid file format for Fine-Tuning API. Must be .jsonl", param="file")
    if not content:
        raise Problem(400, "File is empty.", param="file")
