"""The machine that is measured on: what it is, and how it is kept awake."""

import contextlib
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

# Ends with the program that started it, however that ends.
LOOP = f"while kill -0 {os.getpid()}; do i=0; while [ $i -lt 1000000 ]; do i=$((i+1)); done; done"

AWAKE = (
    "While a server was measured, a loop of the idle scheduling class (`chrt --idle`) was busy on every core, for every "
    "server alike. It runs only when nothing else does and keeps a virtual machine's cores from halting: waking a halted "
    "one takes the hypervisor up to milliseconds, which would be measured instead of the servers."
)
ASLEEP = "The cores were left to halt when idle."
FULL = (
    "What memory was free was filled beforehand with the pages of an empty file, as it is on a machine that has run for a "
    "while: a virtual machine may get free memory from its host only when it touches it, and writes new files at less than "
    "half of their speed until then."
)
# Memory that is left free, and how much of the file is read at a time.
SPARED_BYTES, PIECE_BYTES = 256 << 20, 4 << 20


def facts():
    """Cores, processor, memory and kernel, in one line."""
    cpu = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    memory = round(memory_bytes("MemTotal") / 2**30)
    return (
        f"{os.cpu_count()} cores ({cpu.group(1) if cpu else platform.machine()}), {memory} GB of memory, "
        f"{platform.system()} {platform.release()}"
    )


def memory_bytes(name):
    """One of the kernel's figures of memory."""
    kilobytes = re.search(rf"^{name}:\s+(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return int(kilobytes.group(1)) * 1024


@contextlib.contextmanager
def awake(wanted):
    """Keeps every core busy at the lowest priority there is, if that is wanted."""
    loops = []
    try:
        for core in sorted(os.sched_getaffinity(0)) if wanted else []:
            command = ["taskset", "--cpu-list", str(core), "chrt", "--idle", "0", "sh", "-c", LOOP]
            loops.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


class Memory:
    """Keeps memory full of pages that are given up for others at once: those of a file that has a size and no content."""

    def __init__(self, folder):
        self.file = tempfile.TemporaryFile(dir=folder)
        self.size = 0

    def fill(self):
        """Fills what is free."""
        self.size += max(memory_bytes("MemFree") - SPARED_BYTES, 0)
        self.file.truncate(self.size)
        piece = bytearray(PIECE_BYTES)
        while self.file.readinto(piece):
            pass


def clean_up_when_terminated():
    """Has a request to terminate end the program as an error does, so that servers are stopped and files removed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
