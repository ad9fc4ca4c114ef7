"""The things that texts may name: products, companies, places, whatever the list says."""

from collections import defaultdict
from functools import cache
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import Struct, field
from numpy.typing import NDArray

from openflywheel.base.errors import SettingsError
from openflywheel.curate._characters import SYMBOL
from openflywheel.curate._enrich.spelling import JOINT
from openflywheel.curate._tokens import Tokens, tokens

Hashes = NDArray[np.uint64]

LONGEST = 12  # words of a name
DASHES = "- \u2010 \u2011 \u2012 \u2013 \u2014"
# What a company's name may end with; without it, it is another of its names.
LEGAL_FORMS = (
    "inc incorporated corp corporation co company ltd limited llc llp lp plc gmbh ag kg kgaa se ug ohg sa "
    "sas sarl srl spa sl slu bv nv oy oyj ab as asa aps kk pty pte lda ltda kft zrt doo"
)
BASE = np.uint64(0x9E3779B97F4A7C15)


class Entity(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of the list. `context` are words that tell it from others of the same name."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    kind: str = ""
    context: tuple[str, ...] = field(default=())


class Names(Struct, frozen=True):
    """All names of all entities.

    first: sorted hashes of the names' first words. meant: hash of a name -> numbers of the entities that bear
    it. known: by number of words, the sorted hashes of such names. derived: hashes of names that only count
    with a capital ("Target", for "Target Corp."). context: for each entity, hashes of the words that go with
    it.
    """

    entities: tuple[Entity, ...]
    first: Hashes
    known: dict[int, Hashes]
    meant: dict[int, tuple[int, ...]]
    derived: frozenset[int]
    context: tuple[Hashes, ...]


def names(path: Path) -> Names:
    """The names of the entities in a JSONL file. Raises SettingsError, with file and line."""
    if not path.is_file():
        raise SettingsError(f'curate.enrich: there is no {path}; a line of it is {{"id": ..., "name": ...}}')
    return _read(path, path.stat().st_mtime_ns)


@cache
def _read(path: Path, changed: int) -> Names:  # noqa: ARG001  a file that changed is read again
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    return named(tuple(_entity(line, f"{path}, line {n}") for n, line in lines if line.strip()))


def _entity(line: str, place: str) -> Entity:
    try:
        found = msgspec.json.decode(line, type=Entity)
    except msgspec.DecodeError as error:
        raise SettingsError(f"curate.enrich: {place}: {error}") from None
    if JOINT.strip() in found.id or not found.id:
        raise SettingsError(f"curate.enrich: {place}: id = {found.id!r}; give one without {JOINT.strip()!r}")
    return found


def named(entities: tuple[Entity, ...]) -> Names:
    """The names of some entities, as a text is searched for them."""
    said = [(n, name) for n, e in enumerate(entities) for name in (e.name, *e.aliases)]
    words = matched(tokens(pa.array([name for _, name in said], pa.string())))
    meant, sizes, first = defaultdict[int, set[int]](set), dict[int, int](), set[int]()
    full, derived = set[int](), set[int]()
    for (number, _), (start, last) in zip(said, pairwise(words.offsets.tolist()), strict=True):
        end = _without_stop(words, start, last)
        for stop, kind in ((end, full), (_without_form(words, start, end), derived)):
            if start < stop <= start + LONGEST:
                key = int(_hash(words.hashes[start:stop]))
                meant[key].add(number)
                sizes[key] = stop - start
                first.add(int(words.hashes[start]))
                kind.add(key)
    known = {
        size: np.array(sorted(k for k, s in sizes.items() if s == size), np.uint64)
        for size in sorted(set(sizes.values()))
    }
    return Names(
        entities,
        np.array(sorted(first), np.uint64),
        known,
        {key: tuple(sorted(numbers)) for key, numbers in meant.items()},
        frozenset(derived - full),
        tuple(_context(e) for e in entities),
    )


def matched(words: Tokens) -> Tokens:
    """Without dashes: Wi-Fi is Wi Fi."""
    return words.where(~np.isin(words.hashes, _hashes(DASHES)))


def _without_stop(words: Tokens, start: int, end: int) -> int:
    """Where a name ends without a full stop: Inc. is Inc."""
    return end - bool(end - start > 1 and words.hashes[end - 1] in _hashes("."))


def _without_form(words: Tokens, start: int, end: int) -> int:
    """Where a name ends without its legal form; its end where it has none."""
    stop, forms = end, _hashes(LEGAL_FORMS)
    while stop - start > 1 and (words.hashes[stop - 1] in forms or words.kinds[stop - 1] & SYMBOL):
        stop -= 1
    return stop if any(h in forms for h in words.hashes[stop:end]) else end


def _hash(hashes: Hashes) -> np.uint64:
    total = np.zeros(1, np.uint64)
    for one in hashes:
        total = total * BASE + one
    return np.uint64(total[0])


def _context(entity: Entity) -> Hashes:
    said = " ".join((entity.name, *entity.aliases, entity.kind, *entity.context))
    return np.unique(tokens(pa.array([said])).words().hashes)


@cache
def _hashes(words: str) -> Hashes:
    return np.unique(tokens(pa.array([words])).hashes)
