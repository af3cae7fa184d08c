"""The client commands of the binary, as somebody runs them who has a home folder of their own."""

import json
import os
import subprocess

from support.server import binary


class Client:
    """The binary as somebody runs it who has a home folder of their own."""

    def __init__(self, folder, server):
        self.folder = folder
        self.server = server

    def environment(self):
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MODELRY_")}
        folders = {"XDG_CONFIG_HOME": self.folder / "config", "XDG_CACHE_HOME": self.folder / "cache"}
        return inherited | {name: str(path) for name, path in folders.items()}

    def start(self, *arguments, **options):
        command = [binary(), *map(str, arguments)]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        return subprocess.Popen(command, env=self.environment(), text=True, **pipes)

    def outcome(self, *arguments, code=0):
        """What the command printed, and what it said besides."""
        with self.start(*arguments) as process:
            out, error = process.communicate(timeout=120)
        assert process.returncode == code, f"modelry {arguments} ended with {process.returncode}:\n{out}{error}"
        return out, error

    def run(self, *arguments, code=0):
        out, error = self.outcome(*arguments, code=code)
        return out if code == 0 else out + error

    def json(self, *arguments, code=0):
        return json.loads(self.outcome(*arguments, "--json", code=code)[0])

    def log_in(self, token=None):
        self.run("login", f"{self.server.url}/root/playground", "--token", token or self.server.token)
        return self


def tree(folder):
    """Every file below a folder with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
