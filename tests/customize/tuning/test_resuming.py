import json
import stat

import pytest
import torch
from transformers import TrainerControl, TrainerState

from openflywheel.customize._tuning import resuming


class Arguments:
    def __init__(self, folder=None, process=0):
        self.output_dir, self.process_index = str(folder), process


def trained(steps):
    """A model after some steps of Adam, optimizer and schedule; as with LoRA, one of two groups is empty."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Linear(2, 1))
    model[0].requires_grad_(False)
    learning = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW([{"params": learning}, {"params": []}], lr=0.1)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    take(model, optimizer, schedule, range(steps))
    return model, optimizer, schedule


def take(model, optimizer, schedule, steps):
    for step in steps:
        model(torch.full((1, 3), float(step + 1))).square().sum().backward()
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()


def weights(model):
    return torch.cat([p.detach().ravel() for p in model.parameters()])


def saved(folder, number, whole=True):
    place = folder / f"checkpoint-{number}"
    place.mkdir(parents=True)
    (place / "weights").write_bytes(b"w")
    if whole:
        (place / resuming.WHOLE).write_bytes(b"{}")
    return place


def test_the_newest_whole_checkpoint_counts_and_halves_are_removed(tmp_path):
    saved(tmp_path, 9)
    saved(tmp_path, 10)
    saved(tmp_path, 100, whole=False)
    assert resuming.newest(tmp_path) == tmp_path / "checkpoint-10"
    resuming.clear(tmp_path)
    assert sorted(place.name for place in tmp_path.iterdir()) == ["checkpoint-10", "checkpoint-9"]


def test_only_the_first_process_removes_halves(tmp_path, monkeypatch):
    saved(tmp_path, 100, whole=False)
    monkeypatch.setenv("RANK", "1")
    resuming.clear(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    monkeypatch.setenv("RANK", "0")
    resuming.clear(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_there_is_nothing_to_go_on_from_at_the_beginning(tmp_path):
    assert resuming.newest(tmp_path) is None
    saved(tmp_path, 1, whole=False)
    assert resuming.newest(tmp_path) is None


def test_a_run_that_goes_on_ends_where_the_whole_run_ends(tmp_path):
    model, optimizer, schedule = trained(5)
    (tmp_path / "training_args.bin").write_bytes(b"a pickle")
    resuming.keep(tmp_path, model, optimizer, schedule, first=True)
    again, fresh, beginning = trained(0)
    again.load_state_dict(model.state_dict())
    resuming.restore(tmp_path, again, fresh, beginning)
    assert [group["lr"] for group in fresh.param_groups] == [group["lr"] for group in optimizer.param_groups]
    for one in ((model, optimizer, schedule), (again, fresh, beginning)):
        take(*one, range(5, 9))
    assert torch.equal(weights(model), weights(again))


def test_without_the_optimizers_state_it_would_end_elsewhere(tmp_path):
    model, optimizer, schedule = trained(5)
    again, fresh, beginning = trained(0)
    again.load_state_dict(model.state_dict())
    for one in ((model, optimizer, schedule), (again, fresh, beginning)):
        take(*one, range(5, 9))
    assert not torch.allclose(weights(model), weights(again), atol=1e-3)


def test_no_pickle_is_kept(tmp_path):
    (tmp_path / "training_args.bin").write_bytes(b"a pickle")
    resuming.keep(tmp_path, *trained(1), first=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == [resuming.OPTIMIZER, resuming.WHOLE]
    assert json.loads((tmp_path / resuming.WHOLE).read_bytes())["rates"] == [0.05, 0.05]


def test_only_the_first_process_writes(tmp_path):
    resuming.keep(tmp_path, *trained(1), first=False)
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_becomes_whole_when_the_trainer_has_saved(tmp_path):
    model, optimizer, schedule = trained(2)
    place = tmp_path / "checkpoint-2"
    place.mkdir()
    (place / "training_args.bin").write_bytes(b"a pickle")
    state = TrainerState(global_step=2)
    resuming.Resuming(None, 0).on_save(
        Arguments(tmp_path), state, TrainerControl(), model=model, optimizer=optimizer, lr_scheduler=schedule
    )
    assert resuming.newest(tmp_path) == place


def test_a_steps_chance_depends_on_run_step_and_process_alone():
    def drawn(seed, step, process):
        torch.rand(step % 7)  # whatever was drawn before
        resuming.Resuming(None, seed).on_step_begin(
            Arguments(process=process), TrainerState(global_step=step), TrainerControl()
        )
        return float(torch.rand(1))

    places = [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (2**32 - 1, 2**19, 7)]
    assert [drawn(*place) for place in places] == [drawn(*place) for place in places]
    assert len({drawn(*place) for place in places}) == 5


def test_a_file_is_written_as_a_whole(tmp_path):
    resuming.write(tmp_path / "x.json", b"first")
    resuming.write(tmp_path / "x.json", b"second")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"x.json": b"second"}


def test_a_file_that_cannot_be_written_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        resuming.write(tmp_path / "nowhere" / "x.json", b"")
    assert stat.S_ISDIR(tmp_path.stat().st_mode)


def test_the_first_process_says_where_all_go_on(tmp_path, monkeypatch):
    assert resuming.agreed(tmp_path) is None
    place = saved(tmp_path, 4)
    assert resuming.agreed(tmp_path) == place

    def first(said):
        said[0] = tmp_path / "checkpoint-8"  # which this process does not see yet

    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "broadcast_object_list", first)
    assert resuming.agreed(tmp_path) == tmp_path / "checkpoint-8"
