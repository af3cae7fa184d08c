"""The program that fills an experiment with candidates while no server is running."""

import subprocess
from pathlib import Path

from .engines import REPOSITORY

NAME = "fill_experiment"
PROJECT = 1


def build():
    """Builds it, and answers where it is."""
    command = ["cargo", "build", "--release", "--quiet", "--package", "modelry-store", "--example", NAME]
    subprocess.run(command, cwd=REPOSITORY, check=True)
    return REPOSITORY / "target/release/examples" / NAME


def fill(program, place, experiment, first, end):
    """Makes the candidates from number `first` up to `end` in an experiment of the first project."""
    program = Path(program or build()).resolve()
    subprocess.run([program, str(place), str(PROJECT), experiment, str(first), str(end)], check=True)
