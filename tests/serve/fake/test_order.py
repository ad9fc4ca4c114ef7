"""What may stand in the order of a job; what is wrong is told in the API's words."""

import pytest

from openflywheel.serve._fake.order import Hyperparameters, Method, Order, Settings, told

FILE = {"model": "m", "training_file": "file-1"}


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"model": "m"}, "training_file", "missing_required_parameter"),
        ({"training_file": "file-1"}, "model", "missing_required_parameter"),
        ({**FILE, "model": 3}, "model", "invalid_type"),
        ({**FILE, "suffix": "x" * 65}, "suffix", "invalid_value"),
        ({**FILE, "seed": -1}, "seed", "invalid_value"),
        ({**FILE, "seed": 2**31}, "seed", "invalid_value"),
        ({**FILE, "metadata": {str(i): "" for i in range(17)}}, "metadata", "invalid_value"),
        ({**FILE, "metadata": {"k": "v" * 513}}, "metadata[...]", "invalid_value"),
        ({**FILE, "metadata": {"k": 1}}, "metadata[...]", "invalid_type"),
        ({**FILE, "method": {"type": "magic"}}, "method.type", None),
        ({**FILE, "method": {"supervised": {}}}, "method.type", "missing_required_parameter"),
        (
            {**FILE, "method": {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 0}}}},
            "method.dpo.hyperparameters.n_epochs",
            "invalid_value",
        ),
        ({**FILE, "hyperparameters": {"n_epochs": "many"}}, "hyperparameters.n_epochs", None),
    ],
)
def test_a_wrong_order_is_told(http, body, param, code):
    response = http.post("/v1/fine_tuning/jobs", json=body)
    error = response.json()["error"]
    assert (response.status_code, error["param"]) == (400, param)
    assert error["type"] == "invalid_request_error"
    assert code in (None, error["code"])


@pytest.mark.parametrize("body", [b"", b"{", b"\xff"])
def test_what_is_not_json_is_told(http, body):
    response = http.post("/v1/fine_tuning/jobs", content=body)
    assert response.status_code == 400
    assert "could not parse" in response.json()["error"]["message"]


def test_what_is_auto_is_chosen():
    order = Order(**FILE)
    assert (order.epochs(3), order.batch(12), order.batch(5_000)) == (3, 1, 50)
    chosen = Order(**FILE, hyperparameters=Hyperparameters(n_epochs=9, batch_size=4))
    assert (chosen.epochs(3), chosen.batch(5_000)) == (9, 4)


def test_the_settings_of_the_method_go_first():
    method = Method(type="dpo", dpo=Settings(Hyperparameters(n_epochs=2, beta=0.3)))
    order = Order(**FILE, method=method, hyperparameters=Hyperparameters(n_epochs=9))
    assert order.epochs(3) == 2
    assert (
        Order(**FILE, method=Method(type="dpo"), hyperparameters=Hyperparameters(n_epochs=9)).epochs(3) == 9
    )


def test_an_order_is_told_with_its_method():
    said = told(Order(**FILE, metadata={"a": "b"}), 3)
    assert said["method"]["supervised"]["hyperparameters"]["n_epochs"] == 3
    assert "beta" not in said["hyperparameters"]
    assert (said["metadata"], said["seed"], said["validation_file"]) == ({"a": "b"}, 0, None)
