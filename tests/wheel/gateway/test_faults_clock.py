"""The wall clock jumps, as after a suspend or a wrong NTP server; the gateway keeps its order."""

import time

import openai
import pytest

ASK = {"model": "up/small", "messages": [{"role": "user", "content": "hello"}]}
YEAR = 366 * 86400


@pytest.fixture
def jump(monkeypatch):
    """Set the wall clock of this process so many seconds ahead."""
    real = time.time

    def to(seconds: float) -> None:
        monkeypatch.setattr(time, "time", lambda: real() + seconds)

    return to


@pytest.mark.fault
@pytest.mark.parametrize("seconds", [YEAR, -YEAR])
def test_rates_hold(gateway, jump, seconds):
    gate = gateway(serve={"gateway": {"subject_rate": "2/h"}})
    client = gate.openai()
    for _ in range(2):
        client.chat.completions.create(**ASK, user="ann")
    jump(seconds)
    with pytest.raises(openai.RateLimitError) as raised:
        client.chat.completions.create(**ASK, user="ann")
    assert float(raised.value.response.headers["retry-after-ms"]) <= 1_800_001


@pytest.mark.fault
@pytest.mark.parametrize("seconds", [YEAR, -YEAR])
def test_rows_episodes_and_the_order_of_the_journal_hold(gate, jump, seconds):
    client = gate.openai()
    history = [*ASK["messages"]]
    for ahead in (0, seconds, 0):
        jump(ahead)
        said = client.chat.completions.create(model="up/small", messages=history).choices[0].message.content
        history += [{"role": "assistant", "content": said}, {"role": "user", "content": "go on"}]
    rows = gate.exchanges()
    assert len({e.id for e in rows}) == 3
    assert len({e.episode for e in rows}) == 1
    assert (rows[1].at > rows[0].at) == (seconds > 0)
    assert all(0 <= e.latency < 60 for e in rows), "latency is no difference of wall clocks"


@pytest.mark.fault
def test_a_jump_in_the_middle_of_a_stream(gateway, fake, jump):
    fake.script({"rules": [{"per_token": 0.02}]})
    gate = gateway(serve={"providers": {"up": {"timeout": 5}}})
    words = []
    for chunk in gate.openai().chat.completions.create(**ASK, stream=True):
        words.append(chunk.choices[0].delta.content or "")
        jump(YEAR if len(words) % 2 else -YEAR)
    assert "".join(words) == "Echo: hello"
    [exchange] = gate.exchanges()
    assert exchange.ended == ""
    assert 0 <= exchange.latency < 60


@pytest.mark.fault
def test_a_budget_begins_anew_with_the_day_that_the_clock_tells(gate, jump, until):
    secret = gate.key(budget="0.000001/d")
    client = gate.openai(api_key=secret)
    until(lambda: gate.http().post("/v1/chat/completions", json=ASK).status_code == 401)
    client.chat.completions.create(**ASK)
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(**ASK)
    jump(2 * 86400)
    assert client.chat.completions.create(**ASK).choices
    jump(0)
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(**ASK)
