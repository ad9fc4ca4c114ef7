"""A file and all that is in it: whatever is broken, unknown or refused becomes a Drop with its reason."""

import logging
from collections.abc import Iterator

from openflywheel.base.errors import FlywheelError
from openflywheel.base.nouns import Drop
from openflywheel.collect._files.file import File, Found, Refused, Spent
from openflywheel.collect._files.kinds import judged, reader

Each = tuple[str, Found]

log = logging.getLogger("openflywheel")


def explore(file: File) -> Iterator[Each | Drop]:
    """What the readers find in a file: (name, Found), and Drops. Closes the file. Raises MissingExtra.

    The name of an archive's member is "archive!/member".
    """
    kind = "unknown"
    try:
        kind = judged(file).name
        for each in reader(judged(file))(file):
            if isinstance(each, File):
                yield from explore(each)
            else:
                yield each if isinstance(each, Drop) else (file.name, each)
    except Refused as refused:
        if isinstance(refused, Spent) and file.depth:
            raise
        yield Drop(str(refused))
    except FlywheelError:
        raise
    except Exception as error:  # a parser raises whatever it likes at a broken file (KeyError, struct.error)
        log.info("%s: %r", file.name, error)
        yield Drop(f"broken {kind} file")
    finally:
        file.stream.close()
