"""A data folder on a small disk of its own."""

import os
import subprocess

import pytest

MEBIBYTE = 1024 * 1024


@pytest.fixture
def small_disk(fresh):
    """A server whose data folder is a disk of 48 MiB."""
    server = fresh()
    server.data.mkdir()
    mounted = os.geteuid() == 0 and mount(server.data)
    if not mounted:
        pytest.skip("a small disk needs the right to mount one")
    try:
        with server:
            yield server
    finally:
        subprocess.run(["umount", server.data], check=True)


def mount(folder):
    return subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", folder]).returncode == 0


def fill(path, left=MEBIBYTE):
    """Makes a file so large that about `left` bytes stay free."""
    free = os.statvfs(path.parent)
    with path.open("wb") as ballast:
        ballast.write(bytes(free.f_bavail * free.f_frsize - left))
