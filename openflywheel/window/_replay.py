"""The command that sends logged traffic again."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click
from msgspec import Struct
from rich.console import RenderableType
from rich.text import Text

from openflywheel.base.errors import SettingsError
from openflywheel.base.settings import duration, read
from openflywheel.store import Store
from openflywheel.wheel.replaying import Logged, Replayed, load, logged, replay, save
from openflywheel.window._command import command, file_option
from openflywheel.window._figures import plural


class Saved(Struct, frozen=True):
    """A traffic file that was written."""

    saved: int
    path: str


def _show(done: Replayed | Saved) -> Iterator[RenderableType]:
    if isinstance(done, Saved):
        yield f"{plural(done.saved, 'request')} in {done.path}"
        return
    yield f"{plural(done.sent, 'request')} sent, {done.failed:,} without an answer"
    if done.same is not None:
        yield f"answers as they were: {done.same:.1%}"
        yield f"seconds to a whole answer: median {done.median_seconds:.3f}, p95 {done.p95_seconds:.3f}"
    for error in done.errors:
        yield Text(error, "red")


@command("replay", show=_show, failed=lambda done: isinstance(done, Replayed) and done.failed > 0)
@click.option("--to", metavar="URL", help="The base URL to send to, such as http://127.0.0.1:8300/v1.")
@click.option("--key", envvar="FLYWHEEL_KEY", default="", help="API key.  [env: FLYWHEEL_KEY]")
@click.option("--model", default="", help="Ask this model instead of the logged one.")
@click.option("--since", default="1d", show_default=True, help="How far back the log is read.")
@click.option("--limit", type=click.IntRange(1), default=1000, show_default=True, help="The newest so many.")
@click.option("--speed", type=click.FloatRange(0), default=0.0, help="Times the logged pace.")
@click.option("--concurrency", type=click.IntRange(1), default=8, show_default=True, help="So many at once.")
@click.option("--calls", type=click.Path(path_type=Path), help="Take the requests from this traffic file.")
@click.option("--save", "save_to", type=click.Path(path_type=Path), help="Only write a traffic file.")
@file_option
def replay_(
    file: Path, to: str | None, key: str, model: str, since: str, limit: int, speed: float, concurrency: int,
    calls: Path | None, save_to: Path | None,
) -> Replayed | Saved:  # fmt: skip
    """Send logged traffic again and compare the answers.

    To another model, or another gateway. Exits with 1 when a request got no answer.
    """
    requests = load(calls)[-limit:] if calls else _from_log(file, time.time() - duration(since), limit)
    if save_to:
        return Saved(save(requests, save_to), str(save_to))
    if not to:
        raise SettingsError("replay needs --to URL, or --save FILE")
    return replay(requests, to=to, key=key, model=model, speed=speed, concurrency=concurrency)


def _from_log(file: Path, since: float, limit: int) -> list[Logged]:
    with closing(Store.of(read(file))) as store:
        return logged(store, since=since, limit=limit)


COMMANDS = {"replay": replay_}
