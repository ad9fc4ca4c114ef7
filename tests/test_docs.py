"""The documentation runs, names everything there is, and links to what exists."""

import re
import shlex
import shutil
import sys
import textwrap
from collections.abc import Iterator
from contextlib import redirect_stdout
from importlib import import_module, invalidate_caches
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any

import click
import pytest
import uvicorn
from click.testing import CliRunner

from openflywheel.base import door, settings
from openflywheel.base.nouns import KINDS, Exchange, Noun, Step
from openflywheel.serve._fake.server import listen, running, url_of
from openflywheel.store import Store
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.wheel.gateway.application import Application
from openflywheel.wheel.ring import TURN
from openflywheel.window import terminal
from openflywheel.window._first_files import SEEDS, SETTINGS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
README, INDEX = ROOT / "README.md", DOCS / "index.md"
ADD = sorted((DOCS / "add").glob("*.md"))
PAGES = [README, *sorted(DOCS.rglob("*.md")), ROOT / "benchmarks/README.md", ROOT / "CONTRIBUTING.md"]
RUNNING = [page for page in sorted(DOCS.glob("*.md")) if "```python" in page.read_text(encoding="utf-8")]
PLUGINS = [(room, name) for room in door.ROOMS for name in door.names(room)]
FOLDERS = sorted(p.parent.name for p in (ROOT / "openflywheel").glob("*/__init__.py"))
LOOP = [name for name in FOLDERS if name != "base"]
QUICK = SETTINGS.replace("store: wheel ", "encoder: ngrams\nstore: wheel ")
HEADER = "name: docs\nstore: wheel\ntasks: {route: {kind: label}}\n"
TABLES = {
    "": settings.Table,
    "costs.": settings.Costs,
    "tasks": settings.Task,
    "turn_when.": settings.TurnWhen,
    "budget.": settings.Budget,
    "holdout.": settings.Holdout,
    "trust.": settings.Trust,
    "keep.": settings.Keep,
    "web.": settings.WebSettings,
    "wheel": settings.WheelSettings,
}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path, language: str) -> list[str]:
    """Fenced code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", read(page), re.MULTILINE | re.DOTALL)


def run(code: str, page: Path, **given: Any) -> dict[str, Any]:
    """Execute a block, its errors at the page's lines; returns its names."""
    names: dict[str, Any] = {"__name__": "__main__", **given}
    above = read(page).partition(code)[0].count("\n")
    exec(compile("\n" * above + code, str(page), "exec"), names)
    return names


def row(page: Path, name: str) -> str:
    """The table row whose first cell is `name` in backticks."""
    found = [line for line in read(page).splitlines() if line.startswith(f"| `{name}`")]
    assert len(found) == 1, f"{named(page)} has {len(found)} rows that begin with `{name}`"
    return found[0]


@pytest.fixture(scope="session")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `flywheel init` writes, with the quick encoder, after its first turn."""
    folder = tmp_path_factory.mktemp("turned")
    (folder / "flywheel.yaml").write_text(QUICK)
    (folder / "seeds.jsonl").write_text(SEEDS)
    with Flywheel.open(folder / "flywheel.yaml") as wheel:
        assert not [step.error for step in wheel.turn() if step.error]
    return folder


@pytest.fixture
def desk(turned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, as the working folder."""
    shutil.copytree(turned, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


# The README


def test_the_readme_is_short():
    assert len(read(README).splitlines()) <= 150


@pytest.mark.usefixtures("turned")
def test_the_readmes_python_runs(bare: Path):
    Path("flywheel.yaml").write_text(QUICK)
    Path("seeds.jsonl").write_text(SEEDS)
    [code] = blocks(README, "python")
    with redirect_stdout(StringIO()) as out:
        names = run(code, README)
    words = [line.split()[0] for line in out.getvalue().splitlines()]
    assert words[1:10] == list(TURN)
    assert {"turn_seconds", "bottleneck"} <= set(words[10:])
    store, exchange = Store("wheel"), names["exchange"].id
    said = {(s.kind, s.correction) for s in store.heard([exchange])[exchange]}
    assert {("rating", ""), ("correction", "delivery")} <= said
    assert [s.error for s in store.all(Step) if s.error] == []
    store.close()


@pytest.mark.usefixtures("turned")
def test_the_readmes_commands_run(bare: Path):
    runner = CliRunner()
    [block] = blocks(README, "console")
    for line in block.splitlines():
        words = shlex.split(line.removeprefix("$ flywheel "))
        result = runner.invoke(terminal.main, [_exchange() if w == "EXCHANGE" else w for w in words])
        assert result.exit_code == 0, f"{line}: {result.output}"
        if words[0] == "init":
            Path("flywheel.yaml").write_text(QUICK)


def _exchange() -> str:
    """The exchange that the store has seen last, as `flywheel ask` printed it."""
    store = Store("wheel")
    id = store.all(Exchange)[-1].id
    store.close()
    return id


def test_the_readmes_targets_are_in_the_makefile():
    makefile = read(ROOT / "Makefile")
    targets = re.findall(r"^make (\w+)", "\n".join(blocks(README, "")), re.MULTILINE)
    assert targets == ["demo", "test"]
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


@pytest.mark.parametrize("room", door.ROOMS)
def test_the_readme_lists_every_plugin(room: str):
    [line] = [line for line in read(README).splitlines() if line.startswith(f"| [{room}]")]
    assert sorted(line.split("|")[3].strip().split(", ")) == door.names(room)


# Pages that run


@pytest.mark.parametrize("page", RUNNING, ids=named)
def test_a_pages_python_runs(page: Path, desk: Path):
    for code in blocks(page, "python"):
        assert "assert" in code
        run(code, page)


GATEWAY = """
name: docs
store: wheel
encoder: ngrams
tasks: {route: {kind: label}, answer: {kind: text}}
serve:
  providers: {local: {url: "%s"}, openai: {url: "%s"}}
  routes: {answer: {variants: {small: {model: local/qwen, weight: 9}, large: {model: openai/gpt-x}}}}
"""


@pytest.fixture
def gateway(bare: Path) -> Iterator[str]:
    """The root of a gateway before a fake provider."""
    with running() as provider, listen("127.0.0.1", 0) as listening:
        (bare / "flywheel.yaml").write_text(GATEWAY % (provider.url, provider.url))
        server = uvicorn.Server(uvicorn.Config(Application(settings.read("flywheel.yaml")), log_config=None))
        thread = Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        yield url_of(listening).removesuffix("/v1")  # connections wait until it has started
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python gateway")], ids=named)
def test_a_pages_example_runs_against_a_gateway(page: Path, gateway: str):
    for code in blocks(page, "python gateway"):
        assert "assert" in code
        run(code, page, GATEWAY=gateway)["client"].close()


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "yaml")], ids=named)
def test_a_pages_settings_are_valid(page: Path, monkeypatch: pytest.MonkeyPatch):
    for block in blocks(page, "yaml"):
        for secret in settings.SECRET.findall(block):
            monkeypatch.setenv(secret, "sk-docs")
        settings.parse(block if block.startswith("name:") else HEADER + block)


def test_there_is_a_page_for_each_kind_of_plugin_that_strangers_add():
    assert [page.stem for page in ADD] == ["guard", "metric", "processor", "signal", "source", "trainer"]


@pytest.mark.parametrize("page", ADD, ids=named)
def test_a_page_of_add_is_short(page: Path):
    assert len(read(page).splitlines()) <= 30


class Stranger:
    """What a page of docs/add asks the reader to do, done in a package of its own."""

    def __init__(self, page: Path) -> None:
        self.page, text = page, read(page)
        self.plugin, self.snippet = blocks(page, "python")
        self.room, self.name = re.findall(r"`openflywheel/(\w+)/(\w+)\.py`", text)[0]
        group, entry, self.target = re.findall(
            r"`\[project\.entry-points\.\"([\w.]+)\"\]`\s+as\s+`(\w+) = \"([\w.:]+)\"`", text
        )[0]
        assert (group, entry) == (f"openflywheel.{self.room}", self.name)
        [self.switch] = re.findall(rf"`({self.room}: .+?)`", text)

    def install(self, folder: Path) -> None:
        """Lay the package down as pip would."""
        package = self.target.partition(".")[0]
        (folder / package).mkdir()
        (folder / package / f"{self.name}.py").write_text(self.plugin)
        info = folder / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[openflywheel.{self.room}]\n{self.name} = {self.target}\n")
        invalidate_caches()


@pytest.fixture
def stranger(
    request: pytest.FixtureRequest, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stranger]:
    found = Stranger(request.param)
    package = found.target.partition(".")[0]
    site = bare / "site"
    site.mkdir()
    found.install(site)
    monkeypatch.syspath_prepend(site)
    yield found
    for name in [m for m in sys.modules if m.partition(".")[0] == package]:
        del sys.modules[name]


@pytest.mark.parametrize("stranger", ADD, ids=named, indirect=True)
def test_a_page_of_add_runs_as_it_stands(stranger: Stranger):
    assert stranger.name in door.names(stranger.room)
    assert "assert" in stranger.snippet
    run(stranger.snippet, stranger.page)


@pytest.mark.parametrize("stranger", ADD, ids=named, indirect=True)
def test_its_line_of_settings_switches_it_on(stranger: Stranger):
    chosen = settings.parse(HEADER + stranger.switch).rooms[stranger.room]
    [own] = [c for c in chosen if c.name == stranger.name]
    assert own.settings
    assert door.describe(stranger.room, stranger.name).doc


# Everything is named


@pytest.mark.parametrize(("room", "name"), PLUGINS)
def test_a_rooms_page_names_the_plugin_and_its_settings(room: str, name: str):
    line = row(DOCS / f"{room}.md", name)
    for setting in (s for s in door.describe(room, name).settings if not s.shared):
        assert f"`{setting.name}`" in line
        if isinstance(setting.default, int | float) and not isinstance(setting.default, bool):
            written = {f"`{setting.name}` = {setting.default:{form}}" for form in ("g", ",")}
            assert any(form in re.sub(r"\b0\.0\b", "0", line) for form in written)


def test_the_settings_that_all_sources_share_are_explained_once():
    for setting in (s for s in door.describe("collect", "traffic").settings if s.shared):
        assert f"| `{setting.name}`" in read(DOCS / "collect.md")


@pytest.mark.parametrize("room", door.ROOMS)
def test_a_rooms_page_names_no_plugin_that_is_not_there(room: str):
    tables = re.findall(r"^\| plugin .*?(?=\n\n)", read(DOCS / f"{room}.md"), re.MULTILINE | re.DOTALL)
    named_there = re.findall(r"^\| `(\w+)`", "\n".join(tables), re.MULTILINE)
    assert sorted(named_there) == door.names(room)


@pytest.mark.parametrize("room", door.ROOMS)
def test_a_rooms_page_begins_with_its_arrow(room: str):
    arrow = import_module(f"openflywheel.{room}").ARROW
    title = f"# {room}: {arrow.takes.__name__} -> {arrow.gives.__name__}"
    assert read(DOCS / f"{room}.md").splitlines()[0] == title


@pytest.mark.parametrize("page", LOOP)
def test_every_folder_has_a_page_that_says_how_it_fails(page: str):
    assert "## How it fails" in read(DOCS / f"{page}.md")


@pytest.mark.parametrize("name", terminal.COMMANDS)
def test_the_window_page_names_the_command_and_its_options(name: str):
    found = [x for x in read(DOCS / "window.md").splitlines() if re.match(rf"\| `flywheel {name}[ `]", x)]
    assert len(found) == 1
    command = terminal.main.get_command(click.Context(terminal.main), name)
    assert command is not None
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            assert parameter.make_metavar(click.Context(command)).strip("[]") in found[0]
        elif parameter.name not in ("as_json", "file", "help"):
            assert f"`{parameter.opts[-1]}`" in found[0]


def test_the_window_page_says_which_commands_take_a_file():
    without = [n for n in terminal.COMMANDS if not _takes_file(n)]
    assert f"all but {', '.join(without[:-1])} and {without[-1]} take `-f FILE`" in " ".join(
        read(DOCS / "window.md").split()
    )


def _takes_file(name: str) -> bool:
    command = terminal.main.get_command(click.Context(terminal.main), name)
    return command is not None and any("--file" in p.opts for p in command.params)


def test_the_error_on_the_window_page_is_the_one_that_is_said(bare: Path):
    [shown] = re.findall(r"^error: (flywheel\.yaml:(\d+): .*)$", read(DOCS / "window.md"), re.MULTILINE)
    blank = "\n" * (int(shown[1]) - HEADER.count("\n") - 2)
    lines = f"{HEADER}{blank}collect:\n  files: {{pth: seeds.jsonl}}\n"
    Path("flywheel.yaml").write_text(lines)
    result = CliRunner().invoke(terminal.main, ["turn"])
    assert (result.exit_code, result.stderr) == (2, f"error: {shown[0]}\n")


@pytest.mark.parametrize("kind", KINDS)
def test_the_architecture_page_names_the_noun_and_its_fields(kind: type[Noun]):
    [line] = [x for x in read(DOCS / "architecture.md").splitlines() if x.startswith(f"| {kind.__name__} |")]
    inherited = ("id", "at", *(KINDS[1].__struct_fields__ if kind.__name__ == "Row" else ()))
    for name in kind.__struct_fields__:
        assert f"`{name}`" in line or name in inherited


def test_the_architecture_page_names_what_the_wheel_hands_in():
    text = " ".join(read(DOCS / "architecture.md").split())
    assert ", ".join(f"`{name}`" for name in sorted(door.HANDED_IN)) in text


@pytest.mark.parametrize(("prefix", "table"), TABLES.items(), ids=[t.__name__ for t in TABLES.values()])
def test_the_settings_page_explains_every_key(prefix: str, table: type):
    prefix = prefix if prefix.endswith(".") else ""
    for key in table.__struct_fields__:
        if not any(f"{key}." == other for other in TABLES) and key != "wheel":
            assert row(DOCS / "settings.md", prefix + key)


def test_the_settings_example_uses_every_room_and_every_key():
    [example] = blocks(DOCS / "settings.md", "yaml")
    found = settings.parse(example)
    assert list(found.rooms) == list(door.ROOMS)
    for table in (settings.Task, settings.Costs, settings.WheelSettings, settings.TurnWhen, settings.Budget):
        assert all(re.search(rf"\b{key}:", example) for key in table.__struct_fields__)


def test_the_settings_page_gives_the_defaults_there_are():
    for prefix, table in TABLES.items():
        for name, default in zip(table.__struct_fields__, _defaults(table), strict=True):
            if isinstance(default, int | float | str):
                line = row(DOCS / "settings.md", prefix * prefix.endswith(".") + name)
                assert line.split("|")[2].strip() == (default if isinstance(default, str) else f"{default:g}")


def _defaults(table: Any) -> list[Any]:
    """The default of each field; None where there is none or it is made."""
    count = len(table.__struct_fields__) - len(table.__struct_defaults__)
    return [None] * count + list(table.__struct_defaults__)


def test_the_benchmarks_page_names_every_benchmark():
    text = read(ROOT / "benchmarks/README.md")
    commands = [p.stem for p in (ROOT / "benchmarks").glob("*.py") if "__main__" in read(p)]
    assert commands
    assert not [name for name in commands if f"`python -m benchmarks.{name}" not in text]


# Prose


def prose(page: Path) -> str:
    """A page without its code."""
    text = re.sub(r"^```.*?^```$", "", read(page), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", text)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_pages_are_calm(page: Path):
    assert "!" not in prose(page)
    assert not [c for c in prose(page) if ord(c) > 0xFFFF or 0x2600 <= ord(c) < 0x2800]


# Links


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path):
    targets = [t for t in re.findall(r"\]\(([^)\s]+)\)", prose(page)) if "://" not in t]
    assert not [t for t in targets if not (page.parent / t.partition("#")[0]).exists()]


def test_the_index_leads_to_every_page_with_the_rooms_in_the_order_of_the_loop():
    targets = re.findall(r"\]\(([\w/.-]+\.md)\)", read(INDEX))
    pages = {str(p.relative_to(DOCS)) for p in DOCS.rglob("*.md")} - {"index.md"}
    assert pages <= set(targets)
    assert [t.removesuffix(".md") for t in targets if t.removesuffix(".md") in LOOP] == LOOP


def test_the_picture_fits_the_page():
    [picture] = re.findall(r"```\n(.*?collect.*?)```", read(README), re.DOTALL)[:1]
    assert max(map(len, textwrap.dedent(picture).splitlines())) <= 80
