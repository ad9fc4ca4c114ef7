import json
import signal
import socket
import subprocess
import sys
import threading
import urllib.request

import openai
import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.serve._fake.script import Rule, Script
from openflywheel.serve._fake.server import listen, running, url_of


def post(url, timeout=10):
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}]}).encode()
    request = urllib.request.Request(f"{url}/chat/completions", body)
    with urllib.request.urlopen(request, timeout=timeout) as response:
        return json.loads(response.read())["choices"][0]["message"]["content"]


def test_it_runs_until_the_block_ends():
    with running() as fake:
        assert fake.url == f"{fake.root}/v1"
        assert post(fake.url) == "Echo: x"
        assert [r.path for r in fake.requests()] == ["/v1/chat/completions"]
    assert not [t for t in threading.enumerate() if t.name == "fake-provider"]
    with pytest.raises(OSError, match="refused"):
        post(fake.url)


def test_two_run_side_by_side():
    with running({"rules": [{"answer": "one"}]}) as one, running(Script(rules=(Rule(answer="two"),))) as two:
        assert (post(one.url), post(two.url)) == ("one", "two")
        two.script({"rules": [{"answer": "three"}]})
        assert (post(one.url), post(two.url)) == ("one", "three")
        assert (len(one.requests()), len(two.requests())) == (2, 2)


def test_a_wrong_script_starts_nothing():
    with pytest.raises(SettingsError, match="did you mean 'rules'"), running({"rulez": []}):
        pass
    assert not [t for t in threading.enumerate() if t.name == "fake-provider"]


def test_a_chosen_port_is_used_and_a_taken_one_refused():
    with running() as fake:
        port = int(fake.root.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"), running(port=port):
            pass
    with running(port=port) as again:
        assert again.url == fake.url
        assert post(again.url) == "Echo: x"


def test_it_stops_although_a_client_hangs():
    with running({"rules": [{"hang": True}]}) as fake:
        client = openai.OpenAI(base_url=fake.url, api_key="k", max_retries=0)
        caught = []

        def wait():
            try:
                client.models.list()
            except openai.APIConnectionError as error:
                caught.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        while not fake.requests():
            thread.join(0.01)
    thread.join()
    client.close()
    assert len(caught) == 1


def test_a_body_that_never_comes_is_no_error():
    with running() as fake:
        with socket.create_connection(("127.0.0.1", int(fake.root.rpartition(":")[2]))) as wire:
            wire.sendall(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{")
        assert post(fake.url) == "Echo: x"
        assert len(fake.requests()) == 1


def test_a_url_names_the_address():
    with listen("127.0.0.1", 0) as listening:
        assert url_of(listening) == f"http://127.0.0.1:{listening.getsockname()[1]}/v1"


def test_an_ipv6_address_stands_in_brackets():
    try:
        listening = listen("::1", 0)
    except OSError:
        pytest.skip("no IPv6 here")
    with listening:
        assert url_of(listening) == f"http://[::1]:{listening.getsockname()[1]}/v1"


@pytest.fixture
def command(tmp_path):
    """`flywheel fake-provider` in a process of its own."""
    started = []
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "  # it may come ignored
        "from openflywheel.window._fake import COMMANDS; COMMANDS['fake-provider']()"
    )

    def start(*arguments):
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", code, *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=tmp_path,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_the_command_prints_its_url_and_serves(command, tmp_path):
    (tmp_path / "script.json").write_text('{"rules": [{"answer": "told"}]}')
    process = command("--port", "0", "--script", "script.json")
    url = process.stdout.readline().strip()
    assert url.startswith("http://127.0.0.1:")
    assert url.endswith("/v1")
    assert post(url) == "told"
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=30)
    assert rest == ""
    assert "Traceback" not in errors
    assert process.returncode != 0


def test_the_command_refuses_a_wrong_script(command, tmp_path):
    (tmp_path / "script.json").write_text('{"rulez": []}')
    process = command("--script", "script.json")
    out, errors = process.communicate(timeout=30)
    assert (out, process.returncode) == ("", 1)
    assert "its top level has no field 'rulez'; did you mean 'rules'?" in errors
