"""The machine that is measured on: what it is, and how it is kept awake."""

import contextlib
import os
import platform
import re
import subprocess
from pathlib import Path

AWAKE = (
    "While a server was measured, a loop of the idle scheduling class (`chrt --idle`) was busy on every core, for every "
    "server alike. It runs only when nothing else does and keeps a virtual machine's cores from halting: waking a halted "
    "one takes the hypervisor up to milliseconds, which would be measured instead of the servers."
)
ASLEEP = "The cores were left to halt when idle."


def facts():
    """Cores, processor, memory and kernel, in one line."""
    cpu = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    kilobytes = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    memory = round(int(kilobytes.group(1)) / 2**20)
    return (
        f"{os.cpu_count()} cores ({cpu.group(1) if cpu else platform.machine()}), {memory} GB of memory, "
        f"{platform.system()} {platform.release()}"
    )


@contextlib.contextmanager
def awake(wanted):
    """Keeps every core busy at the lowest priority there is, if that is wanted."""
    loops = []
    try:
        for core in sorted(os.sched_getaffinity(0)) if wanted else []:
            command = ["taskset", "--cpu-list", str(core), "chrt", "--idle", "0", "sh", "-c", "while :; do :; done"]
            loops.append(subprocess.Popen(command))
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
