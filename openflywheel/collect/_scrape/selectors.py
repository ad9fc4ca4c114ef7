"""The selector file: a YAML table that says where on a page the records and their facts stand.

See docs/selectors.md. It is read once and checked whole; what is wrong is named with file and line.
"""

import re
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
import yaml
from msgspec import Struct

from openflywheel.base.errors import SettingsError, suggest
from openflywheel.collect._scrape.css import found_by

T = TypeVar("T")
Type = Literal["text", "number", "price", "rating", "date", "url"]
MOST = 100_000  # bytes of a selector file
OWN = ("kind", "currency", "best")  # facts that a price or a rating brings along


class Pick(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is read: the first element that `select` finds (else the item itself), its text or an `attribute`.

    `type` says what it is made of; `format` is strptime's, for dates.
    """

    select: str = ""
    attribute: str = ""
    type: Type = "text"
    format: str = ""


class Selectors(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A selector file. Without `item` the whole page is one; `text` is joined of several by an empty line."""

    text: str | Pick | tuple[str | Pick, ...]
    item: str = ""
    fields: dict[str, str | Pick] = {}
    label: str | Pick | None = None
    person: str | Pick | None = None
    required: tuple[str, ...] = ()
    next: str = ""

    @property
    def texts(self) -> tuple[Pick, ...]:
        """The picks whose texts make the record's text."""
        return tuple(pick(p) for p in (self.text if isinstance(self.text, tuple) else (self.text,)))

    @property
    def facts(self) -> dict[str, Pick]:
        """Name -> pick, of what goes to the record's meta."""
        return {name: pick(p) for name, p in self.fields.items()}


def pick(said: str | Pick) -> Pick:
    """A selector alone is short for the text of what it finds."""
    return Pick(select=said) if isinstance(said, str) else said


def read(path: Path) -> Selectors:
    """The checked selector file. Raises SettingsError with file and line."""
    try:
        text = path.read_bytes()[: MOST + 1].decode()
    except OSError as error:
        raise SettingsError(f"scraper: selectors: {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"scraper: selectors: {path} is not a text in UTF-8: {error}") from None
    if len(text) > MOST:
        raise SettingsError(f"scraper: selectors: {path} has more than {MOST:,} bytes")
    return _File(path, text).selectors()


class _File:
    """A selector file and where each of its keys stands."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        try:
            self.root = yaml.compose(text, Loader=yaml.SafeLoader)
            self.content = yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            mark = getattr(error, "problem_mark", None)
            said = getattr(error, "problem", None) or str(error)
            raise SettingsError(f"{path}:{mark.line + 1 if mark else 1}: {said}") from None
        if not isinstance(self.content, dict):
            raise SettingsError(
                f"{path}:1: expected a table with item, text and fields; see docs/selectors.md"
            )

    def selectors(self) -> Selectors:
        """The file's content, checked."""
        self._keys(self.content, Selectors, ())
        fields = self.content.get("fields")
        for name, given in fields.items() if isinstance(fields, dict) else ():
            self._pick(given, "fields", str(name))
        for name in ("label", "person", "text"):
            given = self.content.get(name)
            for each in given if isinstance(given, list) else [given]:
                self._pick(each, name)
        found = self._convert(self.content, Selectors)
        self._check(found)
        return found

    def _pick(self, given: Any, *where: str) -> None:
        """Checked one by one: of a table's entries msgspec does not tell which is wrong."""
        if isinstance(given, dict):
            self._keys(given, Pick, where)
            self._convert(given, Pick, *where)

    def _convert(self, given: Any, kind: type[T], *where: str) -> T:
        try:
            return msgspec.convert(given, kind)
        except msgspec.ValidationError as error:
            said, _, place = str(error).partition(" - at `$")
            where += tuple(re.findall(r"\w+", place))
            raise self._wrong(f"{'.'.join(where) or 'selectors'}: {said}", *where) from None

    def _keys(self, given: dict[Any, Any], kind: type[Struct], where: tuple[str, ...]) -> None:
        for key in given:
            if key not in kind.__struct_fields__:
                said = suggest(str(key), kind.__struct_fields__)
                raise self._wrong(f"there is no setting {str(key)!r}; {said}", *where, str(key))

    def _check(self, found: Selectors) -> None:
        """Selectors that can be understood, and names that exist."""
        for name in ("item", "next"):
            self._css(getattr(found, name), name)
        named = {name: pick(p) for name in ("label", "person") if (p := getattr(found, name)) is not None}
        for name, each in named.items():
            self._css(each.select, name)
        for each in found.texts:
            self._css(each.select, "text")
        for name, each in found.facts.items():
            self._css(each.select, "fields", name)
            if name in OWN:
                raise self._wrong(
                    f"{name!r} is filled by the types price and rating; take another", "fields", name
                )
        known = ("text", *found.facts, *named)
        for name in found.required:
            if name not in known:
                raise self._wrong(f"required: there is no field {name!r}; {suggest(name, known)}", "required")

    def _css(self, selector: str, *where: str) -> None:
        try:
            if selector:
                found_by(selector)
        except SettingsError as error:
            raise self._wrong(f"{'.'.join(where)}: {error}", *where) from None

    def _wrong(self, said: str, *where: str) -> SettingsError:
        """The error, with the line of the innermost key that is found."""
        node, line = self.root, 1
        for part in where:
            pairs = node.value if isinstance(node, yaml.MappingNode) else ()
            key, child = next(((k, v) for k, v in pairs if k.value == part), (None, None))
            if key is None:
                break
            line, node = key.start_mark.line + 1, child
        return SettingsError(f"{self.path}:{line}: {said}")
