"""How many processes this machine, or the container, has processors and memory for."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from repogen.files import read_regular

WORKER_BYTES = 600 * 10**6
"""Memory that a process takes which draws dressed people in panoramas, or prepares crops."""

_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUPS = Path("/proc/self/cgroup")
_MEMORY = Path("/proc/meminfo")
_MOST_BYTES = 10**6


@cache
def default_workers() -> int:
    """The processors that this process may use, or as many processes as fit into the memory that is
    free when this is first asked; at least 1."""
    return max(min(usable_processors(), free_memory() // WORKER_BYTES), 1)


def usable_processors() -> int:
    """The processors that this process may use, at least 1: those it is bound to, and no more than
    the quota of its control groups (Linux), by which containers are limited."""
    if hasattr(os, "process_cpu_count"):
        count = os.process_cpu_count() or 1
    elif hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    return max(min([count, *map(int, _quotas())]), 1)


def free_memory() -> int:
    """Bytes of memory that new processes may take; 2**63 where the system does not say."""
    free = [
        1024 * int(line.split()[1])
        for line in _text(_MEMORY).splitlines()
        if line.startswith("MemAvailable:")
    ]
    for group in _groups("memory"):
        for most, used in (
            ("memory.max", "memory.current"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        ):
            limit, now = _text(group / most), _text(group / used)
            if limit.isdecimal() and now.isdecimal():
                free.append(max(int(limit) - int(now) + _file_pages(group), 0))
    return min(free, default=2**63)


def _quotas() -> Iterator[float]:
    """Processors that each control group of this process may use."""
    for group in _groups("cpu"):
        quota, _, period = _text(group / "cpu.max").partition(" ")
        if not quota:
            quota = _text(group / "cpu.cfs_quota_us")
            period = _text(group / "cpu.cfs_period_us")
        if quota.isdecimal() and period.isdecimal():
            yield int(quota) / int(period)


def _file_pages(group: Path) -> int:
    """Bytes of files that a control group's memory holds and can let go."""
    for line in _text(group / "memory.stat").splitlines():
        name, _, value = line.partition(" ")
        if name in ("inactive_file", "total_inactive_file") and value.isdecimal():
            return int(value)
    return 0


def _groups(controller: str) -> Iterator[Path]:
    """Folders of the control groups of this process, and of the groups around them (cgroups(7)).

    In a container the outermost is its own, under whatever name it has outside.
    """
    for line in _text(_OWN_GROUPS).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = _GROUPS / controllers if controllers else _GROUPS
        group = root / path.lstrip("/")
        yield from (root, *(g for g in (group, *group.parents) if root in g.parents))


def _text(file: Path) -> str:
    try:
        return read_regular(file, _MOST_BYTES).decode("utf-8", "replace").strip()
    except OSError:
        return ""
