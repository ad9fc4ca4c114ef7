"""Names of archive members that no honest archive has."""

import re


def refused(name: str) -> str:
    """Why a member of that name is not read; "" when it is. Hidden ones are no business of ours either."""
    parts = re.split(r"[/\\]", name)
    if ".." in parts or name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name) or "\0" in name:
        return "unsafe archive member"
    if any(part.startswith(".") and part != "." for part in parts) or parts[0] == "__MACOSX":
        return "hidden file"
    return "name is not UTF-8" if any("\ud800" <= c <= "\udfff" for c in name) else ""
