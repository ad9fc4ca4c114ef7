"""A gateway as a session of processes: what all of them use, started, killed and stopped together."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

READY_WITHIN = 120.0  # seconds; LiteLLM takes about 20 CPU-seconds to start
TICKS = os.sysconf("SC_CLK_TCK")


class Tree:
    """A command in its own session: the session finds children whose parents are gone as well."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self.log = folder / "output.log"
        with self.log.open("ab") as output:
            self._root = subprocess.Popen(
                command, cwd=folder, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )

    def __enter__(self) -> "Tree":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait(self, port: int) -> None:
        """Until something listens on the port. Raises ChildProcessError when it ended or takes too long."""
        until = time.monotonic() + READY_WITHIN
        while not _listens(port):
            if not self.running or time.monotonic() > until:
                raise ChildProcessError(f"{self._root.args!r} does not listen on {port}:\n{self.output()}")
            time.sleep(0.1)

    def output(self) -> str:
        """The end of what it printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-2_000:]

    @property
    def running(self) -> bool:
        """Whether the first process lives."""
        return self._root.poll() is None

    def cpu(self) -> float:
        """User and system seconds of the session, reaped children included, in steps of a clock tick."""
        return sum(sum(map(int, fields[11:15])) for _, fields in self._stats()) / TICKS

    def memory(self, processes: Sequence[int]) -> tuple[float, float]:
        """RSS in MB, now and at its peak, of the largest of some processes."""
        pairs = [_resident(process) for process in processes]
        return max(now for now, _ in pairs) / 1024, max(peak for _, peak in pairs) / 1024

    def workers(self, port: int) -> list[int]:
        """The processes that hold a connection to the port, the largest first."""
        sockets = _sockets(port)
        return [process for process in self.processes() if sockets & _files(process)]

    def processes(self) -> list[int]:
        """The first process, which may start others, then these, the largest first."""
        found = [process for process, _ in self._stats()]
        return sorted(found, key=lambda p: (p == self._root.pid, _resident(p)), reverse=True)

    def kill(self, processes: Sequence[int] | None = None) -> None:
        """SIGKILL some processes of the session, or all of them."""
        for process in self.processes() if processes is None else processes:
            with suppress(ProcessLookupError):  # it ended by itself meanwhile
                os.kill(process, signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL for what has not ended within 10 s."""
        if self.running:
            self._root.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._root.wait(10)
        self.kill()
        self._root.wait()

    def _stats(self) -> Iterator[tuple[int, list[str]]]:
        """(pid, the fields of /proc/pid/stat behind the name) of the session's processes."""
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(FileNotFoundError, ProcessLookupError):  # it ended between listing and reading
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) == self._root.pid:
                    yield int(entry.name), fields


def _resident(process: int) -> tuple[int, int]:
    """Current and peak RSS in KB; 0 when the process is gone."""
    with suppress(FileNotFoundError, ProcessLookupError, KeyError):
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        status = dict(line.split(":", 1) for line in lines)
        return int(status["VmRSS"].split()[0]), int(status["VmHWM"].split()[0])
    return 0, 0


def _sockets(port: int) -> set[str]:
    """Names of the accepted connections of a port, as proc(5) has them: established is state 01."""
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path("/proc/net", table).read_text().splitlines()[1:]
    ]
    return {f"socket:[{row[9]}]" for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "01"}


def _files(process: int) -> set[str]:
    """What a process has open; nothing when it is gone."""
    open_ = set()
    with suppress(FileNotFoundError, ProcessLookupError):
        for link in Path(f"/proc/{process}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                open_.add(str(link.readlink()))
    return open_


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
