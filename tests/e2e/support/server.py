"""The server under test as a process: the Modelry binary, or for comparison a real MLflow server."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
ROOT_PASSWORD = "correct horse battery staple"
ROOT_TOKEN = "mdl-e2e-0123456789abcdef0123456789abcdef"
READY_WITHIN_SECONDS = 60


def free_port():
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def binary():
    """The Modelry binary: `MODELRY_BINARY`, else the release build."""
    path = Path(os.environ.get("MODELRY_BINARY", REPOSITORY / "target/release/modelry"))
    assert path.exists(), f"{path} is missing: run `cargo build --release`, or name a binary in MODELRY_BINARY"
    return path


class Process:
    """A server process with its log; subclasses say how it is started and where it answers."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.log = self.folder / "server.log"
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def launch(self):
        """Starts the process and does not wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command_line(), env=self.environment(), stdout=log, stderr=subprocess.STDOUT, cwd=self.folder
            )
        return self

    def start(self):
        """Starts the process and returns when it answers."""
        self.launch()
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while not self.answers():
            assert self.process.poll() is None, f"the server ended while starting:\n{self.output()}"
            assert time.monotonic() < deadline, f"the server did not answer in time:\n{self.output()}"
            time.sleep(0.01)
        return self

    def answers(self):
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def output(self):
        """All that the process has printed since its first start."""
        return self.log.read_text(errors="replace")

    def stop(self):
        """Ends the process as a service manager does, and returns its exit code."""
        return self.end(signal.SIGTERM)

    def kill(self):
        """Ends the process as a power cut does."""
        return self.end(signal.SIGKILL)

    def end(self, how):
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(timeout=60)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class Modelry(Process):
    """The real binary on a data folder of its own."""

    is_reference = False
    password = ROOT_PASSWORD
    token = ROOT_TOKEN

    def __init__(self, folder, *, arguments=(), settings=None):
        super().__init__(folder)
        self.data = self.folder / "data"
        self.arguments = list(arguments)
        self.settings = {"MODELRY_ROOT_PASSWORD": ROOT_PASSWORD, "MODELRY_ROOT_TOKEN": ROOT_TOKEN} | (settings or {})

    def command_line(self):
        address = f"127.0.0.1:{self.port}"
        return [binary(), "serve", "--address", address, "--data", self.data, *self.arguments]

    def environment(self):
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MODELRY_")}
        return inherited | {name: value for name, value in self.settings.items() if value is not None}

    @property
    def tracking_uri(self):
        return self.project_uri(1)

    def project_uri(self, project):
        """The tracking URI of the project with this number or URL-encoded path."""
        return f"{self.url}/api/v4/projects/{project}/ml/mlflow"

    def command(self, *arguments, check=True):
        """Runs another `modelry` command on the same data folder."""
        done = subprocess.run(
            [binary(), *arguments],
            env=self.environment() | {"MODELRY_DATA": str(self.data)},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert not check or done.returncode == 0, f"modelry {arguments} failed:\n{done.stdout}{done.stderr}"
        return done

    def new_token(self, user="root", scope="api", *more):
        """A token for `user`, made by `modelry token`."""
        return token_in(self.command("token", "--user", user, "--scope", scope, *more).stdout)


class Reference(Process):
    """A real MLflow server, to show that a test asks for what MLflow really does."""

    is_reference = True
    token = None

    def command_line(self):
        store = f"sqlite:///{self.folder}/mlflow.db"
        return [
            *[reference_python(), "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)],
            *["--backend-store-uri", store, "--artifacts-destination", self.folder / "artifacts", "--workers", "1"],
        ]

    def environment(self):
        return {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_TRACKING")}

    @property
    def tracking_uri(self):
        return self.url

    def end(self, how):
        # The workers of MLflow's server outlive a killed parent, so it is asked politely, always.
        return super().end(signal.SIGTERM)


def reference_python():
    """The interpreter that has the newest MLflow, whatever client runs the tests."""
    newest = REPOSITORY / ".venvs/mlflow-3/bin/python"
    return newest if newest.exists() else shutil.which(sys.executable)


def token_in(text):
    """The token in what `modelry serve` or `modelry token` printed."""
    exported = re.search(r"MLFLOW_TRACKING_TOKEN=[\"']?([^\s\"']+)", text)
    found = exported.group(1) if exported else text.strip().splitlines()[-1].strip()
    assert re.fullmatch(r"[\w.\-]{20,}", found), f"no token in:\n{text}"
    return found
