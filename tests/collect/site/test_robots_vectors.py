"""Google's own tests of its robots.txt matcher, read from their C++ by a small interpreter."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from openflywheel.collect._site.robots import Robots, token
from openflywheel.collect._site.rules import escaped, lines, path_of

VECTORS = Path(__file__).parents[4] / "shared" / "data" / "robots_google" / "robots_test.cc"

pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason="../shared/data/robots_google is not here")

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[A-Za-z_]\w*(?:(?:::|\.)\w+)*|\d+|[-+*<(),&{};=\[\]]')
DECLARED = re.compile(
    r"(?:static )?(?:const )?(?:absl::string_view|std::string|char|int|size_t) "
    r"(\w+)(?:\[\])?(?:\s*=\s*(.*))?",
    re.DOTALL,
)
KNOWN = {"user-agent", "allow", "disallow", "sitemap"}


class Report:
    """What Google's RobotsStatsReporter counts, out of our lines."""

    def __init__(self, body: bytes) -> None:
        self.lines = list(lines(body))

    def valid_directives(self) -> int:
        return sum(line.key in KNOWN for line in self.lines)

    def unknown_directives(self) -> int:
        return sum(line.key not in KNOWN for line in self.lines)

    def last_line_seen(self) -> int:
        return max(line.number for line in self.lines)

    def sitemap(self) -> bytes:
        return b"".join(line.value.encode("latin-1") for line in self.lines if line.key == "sitemap")


class Machine:
    """Runs the statements of one TEST; `checked` has what each assertion said, and whether it held."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {"report": None}
        self.checked: list[tuple[str, bool]] = []
        self.report = Report(b"")
        self.said = ""
        self.calls: dict[str, Callable[..., Any]] = {
            "IsUserAgentAllowed": lambda body, agent, url: Robots.parse(body).allowed(
                agent.decode(), url.decode()
            ),
            "RobotsMatcher::IsValidUserAgentToObey": lambda agent: (
                bool(agent) and token(agent.decode()) == agent.decode()
            ),
            "EXPECT_TRUE": lambda value: self.expect(value is True),
            "EXPECT_FALSE": lambda value: self.expect(value is False),
            "EXPECT_EQ": lambda wanted, found: self.expect(wanted == found),
            "TestPath": lambda url, wanted: self.expect(path_of(url.decode()) == wanted.decode()),
            "TestEscape": lambda url, wanted: self.expect(escaped(url.decode("latin-1")) == wanted.decode()),
            "absl::StrCat": lambda *parts: b"".join(parts),
            "absl::string_view": lambda: b"",
            "std::string": lambda text=b"": text,
            "googlebot::ParseRobotsTxt": self.parse,
        }

    def expect(self, holds: bool) -> None:
        self.checked.append((" ".join(self.said.split()), holds))

    def parse(self, body: bytes, _: object) -> None:
        self.report = Report(body)

    def run(self, source: str) -> None:
        statements = iter(re.findall(r'(?:"(?:[^"\\]|\\.)*"|[^;{}"])+|[;{}]', source))
        for statement in statements:
            self.said = statement.strip()
            if self.said.startswith("while"):
                self.loop(self.said, statements)
            elif self.said and self.said not in ";{}":
                self.one(self.said)

    def loop(self, head: str, statements: Iterator[str]) -> None:
        body = []
        for statement in statements:
            if statement == "}":
                break
            body.append(statement.strip())
        name, limit = re.findall(r"\((\w+)\.size\(\) < (\w+)\)", head)[0]
        while len(self.values[name]) < self.values[limit]:
            for statement in body:
                if statement not in ("", ";", "{"):
                    self.one(statement)

    def one(self, statement: str) -> None:
        declared = DECLARED.fullmatch(statement)
        appended = re.fullmatch(r"absl::StrAppend\(&(\w+), (.*)\)", statement, re.DOTALL)
        if declared:
            self.values[declared[1]] = Expression(declared[2] or '""', self).value()
        elif appended:
            self.values[appended[1]] += Expression(f"absl::StrCat({appended[2]})", self).value()
        elif not statement.startswith(("RobotsStatsReporter", "#", "//")):
            Expression(statement, self).value()


class Expression:
    """Sums and products of numbers, strings side by side, names and calls."""

    def __init__(self, source: str, machine: Machine) -> None:
        self.tokens, self.machine = TOKEN.findall(source), machine

    def value(self) -> Any:
        left = self.product()
        while self.tokens and self.tokens[0] in "+-":
            sign = self.tokens.pop(0)
            left = left + self.product() if sign == "+" else left - self.product()
        return left

    def product(self) -> Any:
        left = self.factor()
        while self.tokens and self.tokens[0] == "*":
            self.tokens.pop(0)
            left *= self.factor()
        return left

    def factor(self) -> Any:
        first = self.tokens.pop(0)
        if first == "&":
            return self.factor()
        if first.isdigit():
            return int(first)
        if first[0] == '"':
            text = literal(first)
            while self.tokens and self.tokens[0][0] == '"':
                text += literal(self.tokens.pop(0))
            return text
        if self.tokens and self.tokens[0] == "(":
            return self.call(first)
        return self.machine.values[first]

    def call(self, name: str) -> Any:
        self.tokens.pop(0)
        arguments = []
        while self.tokens[0] != ")":
            arguments.append(self.value())
            if self.tokens[0] == ",":
                self.tokens.pop(0)
        self.tokens.pop(0)
        owner, _, method = name.partition(".")
        if owner == "report":
            return getattr(self.machine.report, method)()
        if method in ("length", "size"):
            return len(self.machine.values[owner])
        return self.machine.calls[name](*arguments)


def literal(source: str) -> bytes:
    return source[1:-1].encode().decode("unicode_escape").encode("latin-1")


def bodies() -> dict[str, str]:
    if not VECTORS.exists():
        return {}
    source = re.sub(r"(?:^|(?<=;))\s*//.*$", "", VECTORS.read_text(), flags=re.MULTILINE)
    found = re.findall(r"^TEST\(RobotsUnittest, (\w+)\) \{\n(.*?)^\}", source, re.DOTALL | re.MULTILINE)
    return dict(found)


def checked(body: str) -> list[tuple[str, bool]]:
    machine = Machine()
    machine.run(body.replace('std::string("\\n").length()', "1"))
    return machine.checked


@pytest.mark.parametrize("name", bodies())
def test_googles_vectors_hold(name: str) -> None:
    said = checked(bodies()[name])
    assert said
    assert [what for what, holds in said if not holds] == []


def test_every_assertion_of_the_file_is_run() -> None:
    source = VECTORS.read_text()
    written = len(re.findall(r"^ *(?:EXPECT_(?:TRUE|FALSE|EQ)|TestPath|TestEscape)\(", source, re.MULTILINE))
    within_helpers = 2  # of TestPath and TestEscape
    run = sum(len(checked(body)) for body in bodies().values())
    assert run == written - within_helpers
