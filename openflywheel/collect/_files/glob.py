"""Globs on paths with slashes: `**` stands for any folders, `*` and `?` stay within one."""

import re

WILD = re.compile(r"[*?\[]")
WORDS = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
TOKENS = re.compile(r"(\*\*/|\*\*|\*|\?|\[[^\]/]+\])")


def split(path: str) -> tuple[str, str]:
    """The folder before the first wildcard, and the glob below it ("" where there is none)."""
    parts = path.split("/")
    wild = next((i for i, part in enumerate(parts) if WILD.search(part)), len(parts))
    root = "/".join(parts[:wild])
    return root or ("/" if path.startswith("/") else ""), "/".join(parts[wild:])


def matches(pattern: str, name: str) -> bool:
    """Does a glob fit a whole path?"""
    return re.fullmatch("".join(map(_expression, TOKENS.split(pattern))), name, re.DOTALL) is not None


def _expression(part: str) -> str:
    if TOKENS.fullmatch(part) and part.startswith("["):
        return "(?!/)" + part.replace("\\", "\\\\").replace("[!", "[^", 1)
    return WORDS.get(part) or re.escape(part)
