"""The words of a piece of media, by whoever can tell them: plugins of the group "openflywheel.media".

A plugin is a function `(content: bytes, mime: str) -> str | None`, None where it is not for such media. The
first that answers is taken, in the order of names; without any, media has no words.
"""

from importlib import metadata

GROUP = "openflywheel.media"


def transcribe(content: bytes, mime: str) -> str:
    """What is said or written in it; "" when nobody can tell."""
    for entry in sorted(metadata.entry_points(group=GROUP), key=lambda e: e.name):
        said = entry.load()(content, mime)
        if said is not None:
            return str(said)
    return ""
