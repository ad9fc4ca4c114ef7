import sys
from pathlib import Path

import pytest

from openflywheel import curate
from openflywheel.base.errors import MissingSecret, SettingsError, UnknownPlugin, UnknownSetting
from openflywheel.base.settings import Chosen, WheelSettings, duration, parse, read

HEAD = "name: desk\nstore: wheel\ntasks:\n  route: {kind: label}\n"


@pytest.fixture(autouse=True)
def steps(tmp_path, monkeypatch):
    """Three plugins of curate: `trim_`, `keep_` and `mask_`."""
    (tmp_path / "trim_.py").write_text("def trim_(batch, *, at: int = 5): ...")
    (tmp_path / "keep_.py").write_text("def keep_(batch, *, langs: list[str], least: float = 0.5): ...")
    (tmp_path / "mask_.py").write_text("def mask_(batch): ...")
    monkeypatch.setattr(curate, "__path__", [*curate.__path__, str(tmp_path)])
    yield
    for name in ("trim_", "keep_", "mask_"):
        sys.modules.pop(f"openflywheel.curate.{name}", None)


def refused(text: str, error: type[Exception] = SettingsError) -> str:
    with pytest.raises(error) as caught:
        parse(text)
    return str(caught.value)


def test_a_small_file_is_enough():
    settings = parse(HEAD)
    assert (settings.name, settings.rooms, settings.wheel.seed) == ("desk", {}, 0)
    assert settings.tasks["route"].costs.person == 1.0
    assert settings.wheel.turn_when.seconds == 3600


def test_plugins_may_be_a_table():
    settings = parse(HEAD + "curate:\n  trim_: {at: 3}\n  mask_: {}\n  keep_: {langs: [en], least: 1}\n")
    assert settings.rooms["curate"] == (
        Chosen("trim_", {"at": 3}), Chosen("mask_", {}), Chosen("keep_", {"langs": ["en"], "least": 1.0}),
    )  # fmt: skip


def test_plugins_may_be_a_list_in_working_order_with_or_without_settings():
    settings = parse(HEAD + "curate: [mask_, {trim_: {at: 1}}, mask_, {keep_: {langs: []}}, {trim_: }]\n")
    assert settings.rooms["curate"] == (
        Chosen("mask_", {}), Chosen("trim_", {"at": 1}), Chosen("mask_", {}), Chosen("keep_", {"langs": []}),
        Chosen("trim_", {}),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + "curat: []\n", "flywheel.yaml:5: there is no setting 'curat'; did you mean 'curate'?"),
        (
            HEAD + "wheel:\n  seed: 1\n  sed: 2\n",
            "flywheel.yaml:7: there is no setting 'sed'; did you mean 'seed'?",
        ),
        (
            HEAD + "wheel:\n  turn_when:\n    or_afer: 1h\n",
            "flywheel.yaml:7: there is no setting 'or_afer'; did you mean 'or_after'?",
        ),
        (
            HEAD + "  risk:\n    kind: label\n    cost: {error: 2}\n",
            "flywheel.yaml:7: there is no setting 'cost'; did you mean 'costs'?",
        ),
        (
            HEAD + "  risk:\n    kind: label\n    costs:\n      eror: 1\n",
            "flywheel.yaml:8: there is no setting 'eror'; did you mean 'error'?",
        ),
    ],
    ids=["top", "wheel", "turn_when", "task", "costs"],
)
def test_an_unknown_key_is_told_with_file_line_and_the_nearest_name(text, said):
    assert refused(text) == said


def test_an_unknown_plugin_is_told_with_its_line():
    for text in ("curate:\n  mask_: {}\n  trimm_: {}\n", "curate:\n  - mask_\n  - trimm_\n"):
        said = refused(HEAD + text, UnknownPlugin)
        assert said.startswith("flywheel.yaml:7: curate has no plugin 'trimm_'; did you mean 'trim_'?")


@pytest.mark.parametrize(
    "text", ["curate:\n  mask_: {}\n  trim_:\n    ad: 3\n", "curate:\n  - mask_\n  - trim_:\n      ad: 3\n"]
)
def test_an_unknown_setting_of_a_plugin_is_told_with_its_own_line(text):
    said = refused(HEAD + text, UnknownSetting)
    assert said == "flywheel.yaml:8: curate.trim_ has no setting 'ad'; choices: at"


def test_a_missing_setting_of_a_plugin_is_told_with_the_plugins_line():
    said = refused(HEAD + "curate:\n  mask_: {}\n  keep_: {}\n", UnknownSetting)
    assert said == "flywheel.yaml:7: curate.keep_ needs the setting 'langs'"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + "wheel:\n  seed: soon\n", ":6: wheel.seed: expected a whole number"),
        (
            HEAD + "wheel:\n  budget:\n    labels: 1.5\n",
            ":7: wheel.budget.labels: expected a whole number",
        ),
        (HEAD + "  risk:\n    kind: order\n", ":6: tasks.risk.kind: choices: label, number, rank, text"),
        (HEAD + "  risk:\n    costs: {}\n", ":5: tasks.risk: Object missing required field `kind`"),
        (HEAD + "  risk: label\n", ":5: tasks.risk: expected a table of names and values"),
        (HEAD + "curate:\n  trim_:\n    at: x\n", ":7: curate.trim_: at = 'x': expected a whole number"),
        (HEAD + "curate: {trim_: 5}\n", ":5: curate.trim_: expected a table of its settings"),
        (HEAD + "curate: {trim_: false}\n", ":5: curate.trim_: expected a table of its settings"),
        (HEAD + "curate: {trim_: [at]}\n", ":5: curate.trim_: expected a table of its settings"),
        (HEAD + "curate: trim_\n", ":5: curate: expected plugins, for example ["),
        (HEAD + "curate:\n", ":5: curate: expected plugins, for example ["),
        ("store: s\ntasks: {}\n", ":1: settings: Object missing required field `name`"),
        ("store: s\nname: 3\ntasks: {}\n", ":2: name: expected a text"),
        (HEAD + "wheel:\n  turn_when:\n    or_after: soon\n", ":7: 'soon' is not a duration; write 90s, 15m"),
    ],
)
def test_a_wrong_value_is_told_with_its_line(text, said):
    assert said in refused(text)
    assert refused(text).startswith("flywheel.yaml:")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\nstore: b\nname: c\n", "flywheel.yaml:3: 'name' stands here twice"),
        (HEAD + "curate:\n  trim_: {at: 1, at: 2}\n", "flywheel.yaml:6: 'at' stands here twice"),
        (HEAD + "  route: {kind: label}\n", "flywheel.yaml:5: 'route' stands here twice"),
    ],
)
def test_a_key_that_stands_twice_is_refused(text, said):
    assert refused(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\nstore: [b\n", "flywheel.yaml:3: "),
        ("name: a\n\tstore: b\n", "flywheel.yaml:2: found character '\\t' that cannot start any token"),
        ("name: a\nstore: \0\n", "flywheel.yaml:2: special characters are not allowed"),
        ("name: a\n---\nname: b\n", "flywheel.yaml:2: but found another document"),
        ("name: a\nstore: !!python/name:os.system x\n", "flywheel.yaml:2: could not determine a constructor"),
        ("name: a\nstore: 2026-99-99\n", "flywheel.yaml:2: month must be in 1..12"),
        ("name: a\nstore: *nowhere\n", "flywheel.yaml:2: found undefined alias"),
        ("", "flywheel.yaml:1: expected a table of settings; write one with: flywheel init"),
        ("# nothing\n", "flywheel.yaml:1: expected a table of settings"),
        ("- name\n", "flywheel.yaml:1: expected a table of settings"),
    ],
)
def test_bad_yaml_is_told_with_its_line(text, said):
    assert refused(text).startswith(said)


def test_secrets_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("FLYWHEEL_TEST_KEY", "s3cret: {odd}")
    settings = parse(HEAD + 'curate: {keep_: {langs: ["${FLYWHEEL_TEST_KEY}", "a${FLYWHEEL_TEST_KEY}b"]}}\n')
    assert settings.rooms["curate"][0].settings["langs"] == ["s3cret: {odd}", "as3cret: {odd}b"]


def test_a_secret_that_is_not_set_is_told_with_its_line(monkeypatch):
    monkeypatch.delenv("FLYWHEEL_TEST_KEY", raising=False)
    said = refused(HEAD + 'curate:\n  keep_:\n    langs: ["${FLYWHEEL_TEST_KEY}"]\n', MissingSecret)
    assert (
        said == "flywheel.yaml:7: ${FLYWHEEL_TEST_KEY} is not set; set it with: export FLYWHEEL_TEST_KEY=..."
    )


def test_the_version_names_the_text_and_not_the_secrets(monkeypatch):
    text = HEAD + 'curate: {keep_: {langs: ["${FLYWHEEL_TEST_KEY}"]}}\n'
    versions = []
    for value in ("one", "two"):
        monkeypatch.setenv("FLYWHEEL_TEST_KEY", value)
        versions.append(parse(text).version)
    assert versions[0] == versions[1] != parse(HEAD).version


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("90s", 90),
        ("15m", 900),
        ("1h", 3600),
        ("2d", 172_800),
        ("1.5h", 5400),
        (" 1 m ", 60),
        (7, 7),
        (0.5, 0.5),
    ],
)
def test_durations_have_units(written, seconds):
    assert duration(written) == seconds


@pytest.mark.parametrize("written", ["", "1", "h", "1w", "-1h", "1h30m", "1 hour", "nan"])
def test_other_durations_are_refused(written):
    with pytest.raises(SettingsError, match="is not a duration; write 90s, 15m, 1h or 2d"):
        duration(written)


def test_the_store_lies_beside_the_file(tmp_path):
    file = tmp_path / "deep" / "flywheel.yaml"
    file.parent.mkdir()
    for written, meant in [
        ("wheel", file.parent / "wheel"),
        ("../w", file.parent / "../w"),
        ("/abs/w", Path("/abs/w")),
    ]:
        file.write_text(HEAD.replace("store: wheel", f"store: {written}"))
        assert read(file).store == str(meant)
    assert read(file).store == "/abs/w"
    file.write_text(HEAD.replace("store: wheel", "store: s3://bucket/wheel"))
    assert read(file).store == "s3://bucket/wheel"


def test_messages_name_the_file_as_it_was_given(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text(HEAD + "curat: []\n")
    with pytest.raises(SettingsError, match=rf"{file}:5: there is no setting"):
        read(file)


def test_a_missing_file_names_the_next_command(tmp_path):
    with pytest.raises(SettingsError, match=r"there is no .*nothing\.yaml; write one with: flywheel init"):
        read(tmp_path / "nothing.yaml")


def test_a_file_in_another_encoding_is_told(tmp_path):
    file = tmp_path / "flywheel.yaml"
    file.write_bytes("name: Müller".encode("latin-1"))
    with pytest.raises(SettingsError, match="is not a text in UTF-8"):
        read(file)


@pytest.mark.parametrize(
    ("engine", "cluster"),
    [("local", None), ("ray", "local"), ("ray:auto", "auto"), ("ray:10.0.0.1:6379", "10.0.0.1:6379")],
)
def test_the_engine_names_the_cluster(engine, cluster):
    assert WheelSettings(engine=engine).cluster == cluster
