"""Under which licence a thing stands, in one form: an SPDX identifier where there is one, else its URL."""

import re

_CC = re.compile(
    r"creativecommons\.org/(?:licenses/(by(?:-nc)?(?:-sa|-nd)?)/(\d\.\d)|(publicdomain/zero)/1\.0)",
    re.IGNORECASE,
)
_NAMED = re.compile(r"(?:cc[ -])(by(?:[ -]nc)?(?:[ -](?:sa|nd))?)[ -](\d\.\d)\b|\b(cc0)\b", re.IGNORECASE)
_OPEN = re.compile(r"(?:opensource|spdx)\.org/licenses?/([\w.+-]+?)(?:\.html|\.json)?/?$", re.IGNORECASE)


def license_of(said: str) -> str:
    """The licence that a link or a sentence names; "" when it names none.

    "https://creativecommons.org/licenses/by-sa/4.0/" and "CC BY-SA 4.0" are "CC-BY-SA-4.0".
    """
    found = _CC.search(said) or _NAMED.search(said)
    if found:
        kind, version, _ = found.groups()
        return f"CC-{kind.upper().replace(' ', '-')}-{version}" if kind else "CC0-1.0"
    url = said.strip()
    if not re.match(r"https?://\S+$", url):
        return ""
    software = _OPEN.search(url)
    return software[1] if software else url
