"""The demo: a shop's support desk that gets better by itself.

Simulated customers write, the desk answers with a help article or hands over to a person, customers react,
and the wheel turns. Nothing is scripted: another seed tells another story, and a room that is switched off
is missed.
"""

import json
import random
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path

import msgspec
import yaml

from openflywheel.base.errors import SettingsError
from openflywheel.base.nouns import Model
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.window.crowd import Behaviour, Crowd, Message
from openflywheel.window.shoppers import Asked, Shoppers, known_pages
from openflywheel.window.simulate import Cycle, cycle
from openflywheel.window.site import website
from openflywheel.window.story import Before, Story

TASK = "intent"
CONVERSATIONS = 400  # a turn; with those who ask again, eight turns use most of the 3,864 messages
SEEDED, EXAMPLES = 0.7, 2  # cold start: two examples of 70 % of the intents
BEHAVIOUR = Behaviour(rate=0.25, flip=0.05, correct=0.15, rephrase=0.3, choose=0.3, people=900)
MARK = ".flywheel-demo"
SITE = "http://127.0.0.1:8390/"  # stands in the settings for the shop's website, which gets a free port


def run(
    *,
    turns: int = 8,
    seed: int = 0,
    folder: str | Path = "demo",
    without: Sequence[str] = (),
    customize: str = "",
    as_json: bool = False,
) -> list[Cycle]:
    """Run the demo in a folder, print its story, leave a report there.

    `without` names rooms to switch off, `customize` the trainer that takes the head's place. Raises
    SettingsError when the folder holds something else.
    """
    place = _empty(Path(folder))
    with ExitStack() as opened:
        site = opened.enter_context(website())
        traffic = _write(place, random.Random(seed), without, customize, site)
        wheel = opened.enter_context(Flywheel.open(place / "flywheel.yaml"))
        story = opened.enter_context(Story(wheel, place, turns, quiet=as_json))
        crowd, shoppers = Crowd(wheel, TASK, traffic, BEHAVIOUR, seed), Shoppers(wheel, seed)
        wheel.turn()  # the cold start: learn from the seeds
        first = wheel.champion(TASK)
        story.begin(len(traffic))
        cycles: list[Cycle] = []
        asked: list[Asked] = []
        for _ in range(turns):
            asked.append(shoppers.ask())
            cycles.append(cycle(crowd, CONVERSATIONS))
            story.tell(cycles[-1])
            story.tell_shoppers(asked[-1], shoppers.orders())
        story.end(cycles, asked, _before_and_now(wheel, first, list(crowd.truth.values())))
    if as_json:
        print(json.dumps(msgspec.to_builtins(cycles)))
    return cycles


def _empty(place: Path) -> Path:
    """A folder of our own: new, or left by an earlier demo and cleared."""
    if place.exists() and any(place.iterdir()) and not (place / MARK).exists():
        raise SettingsError(f"{place} holds something else than a demo; choose another with --folder")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    (place / MARK).touch()
    return place


def _write(
    place: Path, chance: random.Random, without: Sequence[str], customize: str, site: str
) -> list[Message]:
    """Settings, seeds and help pages into the folder; returns the other messages: they are the traffic."""
    messages = sample_messages()
    chance.shuffle(messages)
    labels = sorted({m.label for m in messages} - {"out_of_scope"})
    seeded = set(chance.sample(labels, round(SEEDED * len(labels))))
    seeds = [m for label in sorted(seeded) for m in _first(messages, label)]
    _write_lines(place / "seeds.jsonl", [{"text": m.text, "label": m.label} for m in seeds])
    _write_lines(place / "help.jsonl", known_pages())
    text = (files(__package__) / "shop/flywheel.yaml").read_text(encoding="utf-8").replace(SITE, site)
    text = _taught_by(_switch_off(text, without), customize)
    (place / "flywheel.yaml").write_text(text, encoding="utf-8")
    (place / "wheel").mkdir()
    (place / "wheel/key").write_bytes(chance.randbytes(32))  # names people, and so says who is held out
    return [m for m in messages if m not in seeds]


def _write_lines(file: Path, rows: Sequence[dict[str, str]]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _first(messages: Sequence[Message], label: str) -> list[Message]:
    return [m for m in messages if m.label == label and not m.also][:EXAMPLES]


def _switch_off(text: str, rooms: Sequence[str]) -> str:
    """The settings without the tables of some rooms."""
    content = yaml.safe_load(text)
    for room in rooms:
        if content.pop(room, None) is None:
            raise SettingsError(f"the demo has no room {room!r} to switch off; choices: {', '.join(content)}")
    return yaml.safe_dump(content, sort_keys=False) if rooms else text


def _taught_by(text: str, trainer: str) -> str:
    """The settings with another trainer alone."""
    return (
        yaml.safe_dump({**yaml.safe_load(text), "customize": {trainer: {}}}, sort_keys=False)
        if trainer
        else text
    )


def sample_messages() -> list[Message]:
    """The shipped sample messages (written for this project)."""
    text = (files(__package__) / "shop/utterances.jsonl").read_text(encoding="utf-8")
    return msgspec.json.decode(b"[" + b",".join(text.encode().splitlines()) + b"]", type=list[Message])


def _before_and_now(wheel: Flywheel, first: Model | None, messages: Sequence[Message]) -> list[Before]:
    """Up to three messages that the first champion got wrong and today's gets right."""
    now = wheel.champion(TASK)
    if first is None or now is None:
        return []
    texts = [m.text for m in messages]
    then, today = wheel.handed.predict(first, texts), wheel.handed.predict(now, texts)
    better = [
        Before(m.text, was, is_now)
        for m, was, is_now in zip(messages, then, today, strict=True)
        if m.answered_by(is_now) and not m.answered_by(was)
    ]
    return better[:3]
