"""The servers that are measured: how each starts, answers, is held still and stopped."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

TOKEN = "bench-token-0123456789abcdef"
READY_WITHIN_SECONDS = 120


def free_port():
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def send_signal(pid, number):
    """Sends a signal to a process, if it is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


class Server:
    """A server under test. Only loopback addresses are used."""

    name = ""
    prefix = ""
    token = ""
    # Whether a call that it refuses is its own matter and not a mistake here.
    may_refuse = True

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.process = None

    def command(self):
        """The command line that starts it."""
        raise NotImplementedError

    def environment(self):
        """What its environment holds besides the present one."""
        return {}

    def start(self):
        """Starts it and returns when it answers."""
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, cwd=self.folder, env={**os.environ, **self.environment()}
            )
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while time.monotonic() < deadline:
            try:
                self.call("GET", "experiments/get?experiment_id=0")
                return self
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise SystemExit(f"{self.name} did not start:\n{(self.folder / 'server.log').read_text()[-2000:]}")

    def stop(self):
        """Asks it to stop, and ends what is left of it after 20 seconds."""
        if self.process is None:
            return
        family = self.processes()
        self.resume()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            pass
        for pid in family:
            send_signal(pid, signal.SIGKILL)
        self.process.wait()

    def freeze(self):
        """Stops its processes where they are, so that they take nothing from the server whose turn it is."""
        for pid in self.processes():
            send_signal(pid, signal.SIGSTOP)

    def resume(self):
        """Lets its processes go on, children first: a parent that had asked one for a sign of life finds the answer."""
        for pid in reversed(self.processes()):
            send_signal(pid, signal.SIGCONT)
            time.sleep(0.01)

    def processes(self):
        """The ids of its processes, parents first."""
        found = [self.process.pid]
        for pid in found:
            try:
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            except OSError:
                continue
            found.extend(int(child) for child in children)
        return found

    def resident_mb(self):
        """Resident memory of all its processes."""
        kilobytes = 0
        for pid in self.processes():
            status = Path(f"/proc/{pid}/status").read_text()
            kilobytes += int(re.search(r"VmRSS:\s+(\d+)", status).group(1))
        return kilobytes / 1024

    @property
    def api(self):
        """The path that the tracking calls start with."""
        return f"{self.prefix}/api/2.0/mlflow/"

    @property
    def headers(self):
        """The headers of every request."""
        authorization = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return {"Host": f"127.0.0.1:{self.port}", "Content-Type": "application/json", **authorization}

    def url(self, path):
        """The address of a tracking call."""
        return f"http://127.0.0.1:{self.port}{self.api}{path}"

    def call(self, method, path, body=None):
        """Makes a tracking call, to prepare something: no call that is measured is made here."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url(path), data=data, headers=self.headers, method=method)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)


class Modelry(Server):
    """Modelry, on SQLite or on a PostgreSQL database."""

    name = "Modelry"
    may_refuse = False
    prefix = "/api/v4/projects/1/ml/mlflow"
    token = TOKEN

    def __init__(self, folder, binary, database_url=None):
        super().__init__(folder)
        self.binary, self.database_url = Path(binary).resolve(), database_url

    def command(self):
        return [self.binary, "serve", "--address", f"127.0.0.1:{self.port}", "--data", self.data]

    def environment(self):
        database = {"MODELRY_DATABASE_URL": self.database_url} if self.database_url else {}
        return {"MODELRY_ROOT_TOKEN": TOKEN, **database}

    @property
    def data(self):
        """Its data folder."""
        return self.folder.resolve() / "data"


class FastTrackML(Server):
    """FastTrackML on SQLite."""

    name = "FastTrackML"

    def __init__(self, folder, binary):
        super().__init__(folder)
        self.binary = binary

    def command(self):
        return [
            self.binary, "server", "--listen-address", f"127.0.0.1:{self.port}",
            "--database-uri", f"sqlite://{self.folder.resolve()}/fml.db",
            "--default-artifact-root", self.folder.resolve() / "artifacts",
        ]


class MLflow(Server):
    """MLflow's own server with two workers, on SQLite."""

    name = "MLflow"

    def __init__(self, folder, binary):
        super().__init__(folder)
        self.binary = binary

    def command(self):
        return [
            self.binary, "server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "2",
            "--backend-store-uri", f"sqlite:///{self.folder.resolve()}/mlflow.db",
            "--artifacts-destination", self.folder.resolve() / "files",
        ]
