"""Who may push: signatures of the Standard Webhooks specification (standardwebhooks.com), or a bearer token.

The signature is HMAC-SHA256 over "id.timestamp.body"; a signature that is older than five minutes is refused,
so that what somebody overheard cannot be sent again later.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from hashlib import sha256

TOLERANCE = 300.0  # seconds that a sender's clock may be off; the specification's own figure
PREFIX = "whsec_"
LONGEST_ID = 200  # characters of a sender's id that are kept as they are


def refusal(headers: Mapping[str, str], body: bytes, *, secret: str, token: str, now: float) -> str:
    """Why a push is refused; empty when it is signed, or carries the token. `headers` are in lower case."""
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if token and _same(rest if scheme.lower() == "bearer" else scheme, token):
        return ""
    if not secret:
        return "no valid token in the header Authorization"
    try:
        age = abs(now - float(headers.get("webhook-timestamp", "")))
    except ValueError:
        return "the header webhook-timestamp is missing or no number"
    if not age <= TOLERANCE:  # also of "nan"
        return f"the signature is older than {TOLERANCE:g} s, or from the future"
    if not headers.get("webhook-id"):
        return "the header webhook-id is missing"
    given = headers.get("webhook-signature", "").split()
    right = sign(headers.get("webhook-id", ""), headers["webhook-timestamp"], body, secret)
    return "" if any(_same(one, right) for one in given) else "no valid signature in webhook-signature"


def sign(id: str, timestamp: str, body: bytes, secret: str) -> str:
    """The signature that a sender puts into `webhook-signature`."""
    digest = hmac.new(key(secret), f"{id}.{timestamp}.".encode() + body, sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def key(secret: str) -> bytes:
    """The bytes of a secret: base64 after "whsec_", else the text itself. Raises ValueError."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(f"what follows {PREFIX} is no base64: {error}") from None


def name(headers: Mapping[str, str], body: bytes) -> str:
    """What a push goes by: its sender's id (a long one's hash), else its content."""
    id = headers.get("webhook-id", "")
    return id if 0 < len(id) <= LONGEST_ID else sha256(id.encode() or body).hexdigest()


def unsigned(headers: Mapping[str, str]) -> bool:
    """Is there nothing that could be a signature or a token? Then the body need not be read."""
    return not (headers.get("authorization") or headers.get("webhook-signature"))


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())
