"""The JSON Schema of flywheel.yaml: it lets in what settings.py lets in, and nothing else."""

import re
from importlib import invalidate_caches
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
import yaml

from openflywheel.base import door, settings
from openflywheel.base.errors import SettingsError
from openflywheel.base.schema import schema
from openflywheel.window import _first_files

TYPES = {
    "object": dict, "array": list, "string": str, "integer": int, "number": (int, float),
    "boolean": bool, "null": type(None),
}  # fmt: skip
SAID = {"title", "description", "default", "$schema", "$defs"}  # says nothing about what is valid


def breaches(value: Any, rule: dict[str, Any], root: dict[str, Any], at: str = "$") -> list[str]:
    """Where a value breaks a schema: the part of draft 2020-12 that ours uses; other words are errors."""
    found = []
    for keyword, said in rule.items():
        if keyword == "$ref":
            found += breaches(value, root["$defs"][said.removeprefix("#/$defs/")], root, at)
        elif keyword == "anyOf":
            found += (
                [] if any(not breaches(value, one, root, at) for one in said) else [f"{at}: none of anyOf"]
            )
        elif keyword == "type":
            kinds = tuple(TYPES[kind] for kind in ([said] if isinstance(said, str) else said))
            wrong = not isinstance(value, kinds) or (isinstance(value, bool) and "bool" not in str(kinds))
            found += [f"{at}: not {said}"] if wrong else []
        elif keyword == "enum":
            found += [] if value in said else [f"{at}: not one of {said}"]
        elif keyword == "pattern":
            found += (
                [] if not isinstance(value, str) or re.search(said, value) else [f"{at}: not like {said}"]
            )
        elif keyword == "required":
            found += [f"{at}: lacks {name}" for name in said if isinstance(value, dict) and name not in value]
        elif keyword == "items":
            rows = enumerate(value) if isinstance(value, list) else ()
            found += [b for i, item in rows for b in breaches(item, said, root, f"{at}[{i}]")]
        elif keyword == "properties":
            here = value.items() if isinstance(value, dict) else ()
            found += [b for k, v in here if k in said for b in breaches(v, said[k], root, f"{at}.{k}")]
        elif keyword == "additionalProperties":
            extra = set(value) - set(rule.get("properties", ())) if isinstance(value, dict) else ()
            for key in extra:
                found += (
                    [f"{at}.{key}: unknown"]
                    if said is False
                    else breaches(value[key], said, root, f"{at}.{key}")
                )
        elif keyword not in SAID:
            raise AssertionError(f"the walk does not know {keyword!r} at {at}")
    return found


def broken(text: str) -> list[str]:
    rules = schema()
    return breaches(yaml.safe_load(text), rules, rules)


LEAST = "name: x\nstore: s\ntasks: {route: {kind: label}}\n"


@pytest.mark.parametrize(
    "text",
    [
        LEAST,
        LEAST + "collect: {experts: {}, traffic: {basis: contract}}\n",
        LEAST + "collect: [experts, {files: {path: a.csv, basis: consent}}]\n",
        LEAST + "guard: {pii: {mode: refuse, kinds: [email]}}\n",
        LEAST + "serve: {cascade: {route: {error: 0.02, else: openai/gpt-x}}}\nencoder: ngrams\n",
        LEAST + "wheel: {turn_when: {signals: 3, or_after: 15m}, budget: {labels: 1}}\n",
        LEAST + "wheel: {turn_when: {or_after: 90}}\n",
        _first_files.SETTINGS,
        (Path(settings.__file__).parents[1] / "window/shop/flywheel.yaml").read_text(),
    ],
)
def test_what_the_settings_take_is_valid(text):
    assert settings.parse(text).name
    assert broken(text) == []


@pytest.mark.parametrize(
    ("text", "breach"),
    [
        ("name: x\nstore: s\n", "$: lacks tasks"),
        (LEAST + "colect: {}\n", "$.colect: unknown"),
        (
            LEAST.replace("label", "labels"),
            "$.tasks.route.kind: not one of ['label', 'number', 'rank', 'text']",
        ),
        (LEAST + "wheel: {sed: 1}\n", "$.wheel.sed: unknown"),
        (LEAST + "wheel: {seed: one}\n", "$.wheel.seed: not integer"),
        (LEAST + "wheel: {turn_when: {or_after: soon}}\n", "$.wheel.turn_when.or_after: none of anyOf"),
        (LEAST + "collect: {fils: {}}\n", "$.collect: none of anyOf"),
        (LEAST + "collect: {files: {}}\n", "$.collect: none of anyOf"),
        (LEAST + "collect: {files: {path: a.csv}}\n", "$.collect: none of anyOf"),
        (LEAST + "collect: {traffic: {basis: mine}}\n", "$.collect: none of anyOf"),
        (LEAST + "collect: [files]\n", "$.collect: none of anyOf"),
        (LEAST + "collect: {files: }\n", "$.collect: none of anyOf"),
        (LEAST + "guard: {pii: {mode: hide}}\n", "$.guard: none of anyOf"),
        (LEAST + "collect: {experts: {encoder: x}}\n", "$.collect: none of anyOf"),
        (LEAST + "collect: files\n", "$.collect: none of anyOf"),
        (LEAST + "collect: \n", "$.collect: none of anyOf"),
    ],
)
def test_what_the_settings_refuse_is_invalid(text, breach):
    with pytest.raises(SettingsError):
        settings.parse(text)
    assert broken(text) == [breach]


def test_every_table_stands_in_the_schema_in_the_order_of_the_loop():
    properties = list(schema()["properties"])
    assert set(properties) == set(settings.TOP)
    assert [name for name in properties if name in door.ROOMS] == list(door.ROOMS)


def test_every_plugin_comes_with_its_first_words_and_its_defaults():
    definitions = schema()["$defs"]
    for room in door.ROOMS:
        assert list(definitions[room]["properties"]) == door.names(room)
        for name, rule in definitions[room]["properties"].items():
            about = door.describe(room, name)
            assert about.doc.startswith(rule["description"].split()[0])
            optional = {s.name: msgspec.to_builtins(s.default) for s in about.settings if not s.required}
            assert {k: v["default"] for k, v in rule["properties"].items() if "default" in v} == optional


def test_tables_are_described_by_their_docstrings():
    assert schema()["$defs"]["Costs"]["description"] == settings.Costs.__doc__
    assert schema()["properties"]["collect"]["description"] == "Gap -> Record: fetch what we lack."


def test_every_reference_leads_somewhere():
    said = msgspec.json.encode(schema()).decode()
    assert set(re.findall(r'"#/\$defs/(\w+)"', said)) <= set(schema()["$defs"])


def test_a_plugin_that_cannot_be_looked_at_takes_any_settings(tmp_path, monkeypatch):
    info = tmp_path / f"stranger_{uuid4().hex}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[openflywheel.collect]\nfar = no_such_stranger.deep:far\n")
    monkeypatch.syspath_prepend(tmp_path)
    invalidate_caches()
    assert broken(LEAST + "collect: {far: {anything: [1, {goes: true}]}}\n") == []
    assert broken(LEAST + "collect: [far]\n") == []
    assert broken(LEAST + "collect: {far: text}\n") == ["$.collect: none of anyOf"]
