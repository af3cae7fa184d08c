"""A Modelry of one's own on an empty data folder, for measurements that no other server takes part in."""

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

TOKEN = "bench-token-0123456789abcdef"


class LoneServer:
    """The server, its API below `native`, and MLflow's protocol below `tracking`, both of project 1."""

    def __init__(self, binary, folder):
        self.binary, self.data = binary, Path(folder) / "data"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.native = f"{self.url}/api/v4/projects/1"
        self.tracking = f"{self.native}/ml/mlflow/api/2.0"
        self.process = None

    def __enter__(self):
        command = [self.binary, "serve", "--address", f"127.0.0.1:{self.port}", "--data", self.data]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "MODELRY_ROOT_TOKEN": TOKEN, "MODELRY_MAX_FILE_BYTES": str(1 << 40)},
        )
        for _ in range(900):
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=5):
                    return self
            except OSError:
                time.sleep(0.1)
        raise SystemExit("the server did not start")

    def __exit__(self, *_):
        self.end(signal.SIGTERM)

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait(60)

    def restart(self):
        """Kills it, as a power cut does, and starts it again."""
        self.end(signal.SIGKILL)
        return self.__enter__()

    def call(self, method, url, body=None):
        """JSON for JSON, below `native` or `tracking`."""
        request = urllib.request.Request(
            url, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=3600) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{method} {url}: {error.code} {error.read().decode()}") from error

    def memory_mb(self, line="VmHWM"):
        """The most memory that it ever had resident since its last start, or, of the line `VmRSS`, has now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{line}:\s+(\d+)", status).group(1)) / 1024

    def forget_peak(self):
        """Has `VmHWM` begin anew (proc(5), `clear_refs`)."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
