"""JSON-LD as things: any nesting, @graph, and nodes that stand for others by their @id."""

from collections.abc import Iterable
from typing import Any

from extruct.jsonld import JsonLdExtractor

from openflywheel.collect._scrape.thing import Thing, TooMuchError, kinds_of, local

MOST_SCRIPT = 2_000_000  # characters of one script
MOST_NODES = 20_000  # things of a page, references followed
MOST_DEPTH = 32  # things within things


def linked(tree: Any, _: str, faults: list[str]) -> list[Thing]:
    """JSON-LD; a broken script is a fault, and the others are read."""
    nodes: list[Any] = []
    for script in tree.iter("script"):
        if (script.get("type") or "").split(";")[0].strip().lower() == "application/ld+json":
            script.set("type", "application/ld+json")  # what extruct looks for, to the letter
            nodes.extend(_script(script, faults))
    return [thing for thing in Graph(nodes).things(nodes) if isinstance(thing, Thing)]


def _script(script: Any, faults: list[str]) -> list[Any]:
    if len(script.text or "") > MOST_SCRIPT:
        faults.append("structured data too large")
        return []
    try:
        return list(JsonLdExtractor().extract_items(script))
    except ValueError:
        faults.append("broken JSON-LD")
    except RecursionError:
        faults.append("structured data too deep")
    return []


class Graph:
    """Nodes of JSON-LD as things; a bare {"@id": ...} stands for the node of the page that has this name."""

    def __init__(self, nodes: Iterable[Any]) -> None:
        self.left = MOST_NODES
        self.named: dict[str, dict[str, Any]] = {}
        for node in nodes:
            self._name(node, 0)

    def _name(self, node: Any, depth: int) -> None:
        if depth > MOST_DEPTH:
            raise TooMuchError("structured data too deep")
        if isinstance(node, dict):
            if isinstance(node.get("@id"), str) and len(node) > 2:
                self.named.setdefault(node["@id"], node)
            node = list(node.values())
        for child in node if isinstance(node, list) else ():
            self._name(child, depth + 1)

    def things(self, node: Any, depth: int = 0) -> list[Any]:
        """Things and strings of a value."""
        self.left -= 1
        if self.left < 0:
            raise TooMuchError("structured data too large")
        if isinstance(node, list):
            return [thing for child in node for thing in self.things(child, depth)]
        if isinstance(node, dict):
            return self._node(node, depth)
        return [] if node is None else [_plain(node)]

    def _node(self, node: dict[str, Any], depth: int) -> list[Any]:
        for wrapper in ("@value", "@list", "@set", "@graph"):
            if wrapper in node:
                return self.things(node[wrapper], depth)
        if set(node) <= {"@id", "@type"} and (there := self.named.get(str(node.get("@id")))) is not None:
            node = there
        if depth > MOST_DEPTH:  # two nodes that name each other; the inner one is left out
            return []
        values = {local(k): self.things(v, depth + 1) for k, v in node.items() if not k.startswith("@")}
        return [Thing(kinds_of(node.get("@type")), values)]


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
