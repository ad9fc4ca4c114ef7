"""Jobs at providers that are at work: see them, cancel them. For `flywheel models`."""

from collections.abc import Mapping
from pathlib import Path

from openflywheel.base.instruments.account import Provider, account
from openflywheel.customize._hosted import job
from openflywheel.customize._hosted.run import Book, Run


def at_work(workspace: Path) -> list[Run]:
    """The runs whose jobs are, or may be, at work; by the time that they were asked for."""
    return Book(workspace).open()


def cancel(workspace: Path, providers: Mapping[str, Provider], task: str = "") -> list[Run]:
    """Cancel the jobs at work, of one task if it is named; what became of each run.

    A job that has succeeded in the meantime is not lost: the next turn takes its model. The provider bills
    what it trained until then. Raises SettingsError, ProviderFailed, ProviderRefused.
    """
    book = Book(workspace)
    return [job.cancel(account(run.provider, providers), book, run) for run in book.open(task)]
