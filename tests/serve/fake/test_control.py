CHAT = {"model": "fake-small", "messages": [{"role": "user", "content": "hello"}]}


def ask(http, **more):
    return http.post("/v1/chat/completions", json={**CHAT, **more}, headers={"authorization": "Bearer sk-1"})


def test_a_script_is_put_while_it_runs(http):
    response = http.put("/fake/script", json={"rules": [{"answer": "told", "times": 1}]})
    assert response.status_code == 200
    assert response.json()["rules"][0]["answer"] == "told"
    said = [ask(http).json()["choices"][0]["message"]["content"] for _ in range(2)]
    assert said == ["told", "Echo: hello"]


def test_a_wrong_script_is_refused_and_the_old_one_stays(http):
    http.put("/fake/script", json={"rules": [{"answer": "told"}]})
    response = http.put("/fake/script", json={"rules": [{"answr": "x"}]})
    assert response.status_code == 400
    assert response.json()["error"].endswith("rules[0] has no field 'answr'; did you mean 'answer'?")
    assert ask(http).json()["choices"][0]["message"]["content"] == "told"


def test_requests_are_told_without_secrets_and_cleared(http):
    ask(http, user="ada")
    http.get("/v1/models")
    first, second = http.get("/fake/requests").json()
    assert (first["method"], first["path"]) == ("POST", "/v1/chat/completions")
    assert first["body"] == {**CHAT, "user": "ada"}
    assert first["headers"]["authorization"] == "***"
    assert "sk-1" not in http.get("/fake/requests").text
    assert (second["method"], second["path"], second["body"]) == ("GET", "/v1/models", None)
    assert http.delete("/fake/requests").status_code == 204
    assert http.get("/fake/requests").json() == []
    assert http.get("/fake/bill").json() == {"models": [], "dollars": 0}


def test_prices_are_told_and_billed(http):
    http.put("/fake/script", json={"prices": {"fake-small": {"input": 1e6, "output": 2e6}}})
    assert http.get("/fake/prices").json() == {"fake-small": {"input": 1e6, "output": 2e6}}
    ask(http)
    ask(http, model="other", stream=True)
    bill = http.get("/fake/bill").json()
    assert bill["dollars"] == 2 * 1 + 3 * 2
    assert [(m["model"], m["dollars"]) for m in bill["models"]] == [("fake-small", 8), ("other", None)]


def test_other_methods_and_paths_are_refused(http):
    assert http.post("/fake/script", json={}).status_code == 405
    assert http.get("/fake/nothing").status_code == 404
