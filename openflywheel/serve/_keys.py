"""Who asks? The API keys as the gateway holds them in memory."""

from collections.abc import Callable, Sequence
from hashlib import sha256

from openflywheel.base.keys import Forbidden, Key, Scope, Unauthorised

REFUSED = (
    "no valid API key: send one as 'Authorization: Bearer fw-...' or as 'x-api-key: fw-...'; "
    "make one with: flywheel keys create"
)


class KeyRing:
    """The keys by the SHA-256 of their secret: found in a dict, so that no comparison tells by its time.

    `load` gives every key, revoked ones too. The gateway calls `refresh` once a second: so long does a
    revoked key live.
    """

    def __init__(self, load: Callable[[], Sequence[Key]]) -> None:
        self._load = load
        self.refresh()

    def refresh(self) -> None:
        """Take the keys as they are now. When `load` raises, that comes through; the keys stay."""
        self._keys = {bytes.fromhex(key.hash): key for key in self._load()}

    @property
    def open(self) -> bool:
        """Was no key ever made? Then anybody on this machine may ask; a revoked key closes it for good."""
        return not self._keys

    def find(self, authorization: bytes | None, x_api_key: bytes | None, now: float) -> Key:
        """The key of a request's two headers; Authorization counts where it is a bearer's (RFC 6750).

        Raises Unauthorised, in the same words whether there was no key, or it is unknown, expired or revoked.
        """
        secret = _bearer(authorization or b"") or x_api_key or b""
        key = self._keys.get(sha256(secret).digest())
        if key is None or not key.valid(now):
            raise Unauthorised(REFUSED)
        return key


def _bearer(authorization: bytes) -> bytes:
    scheme, _, token = authorization.partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else b""


def require(key: Key, scope: Scope) -> None:
    """Raises Forbidden unless the key has the scope; none implies another."""
    if scope not in key.scopes:
        raise Forbidden(
            f"the API key {key.id} has the scope {', '.join(key.scopes)}, and this needs {scope}; "
            f"make another with: flywheel keys create --scope {scope}"
        )
