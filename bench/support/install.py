"""The peers, each in the version that is measured, in an environment of their own: `bench/.venv`."""

import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parent.parent
HOME = BENCH / ".venv"
REQUIREMENTS = BENCH / "requirements.txt"
# Its package asks for an MLflow of its own, which its server, one binary, does not use.
FASTTRACKML = "fasttrackml==0.6.0"


def install_peers():
    """Makes the environment where it is missing or of other versions."""
    wanted = f"{REQUIREMENTS.read_text()}{FASTTRACKML}\n"
    note = HOME / "installed.txt"
    if note.exists() and note.read_text() == wanted:
        return
    print(f"installing {', '.join(wanted.split())}", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", HOME], check=True)
    pip = [HOME / "bin/pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--requirement", REQUIREMENTS], check=True)
    subprocess.run([*pip, "--no-deps", FASTTRACKML], check=True)
    note.write_text(wanted)


def program(name):
    """The path of a program of the environment."""
    return HOME / "bin" / name


def modelry_version(binary):
    """The version of the binary, and the commit of the tree."""
    version = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    describe = ["git", "describe", "--always", "--dirty"]
    commit = subprocess.run(describe, capture_output=True, text=True, cwd=BENCH, check=False).stdout.strip()
    return f"Modelry {version}{f' (tree at {commit})' if commit else ''}"


def versions(binary):
    """What is measured, in one line."""
    peers = f"{REQUIREMENTS.read_text().strip()}, {FASTTRACKML}".replace("==", " ")
    peers = peers.replace("mlflow", "MLflow").replace("fasttrackml", "FastTrackML")
    return f"{modelry_version(binary)}, {peers}"
