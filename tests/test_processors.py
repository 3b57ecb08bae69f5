"""Default numbers of processes: affinity, the quotas of control groups, and memory."""

import os

import pytest

from repogen import processors
from repogen.generation.config import GenerateConfig

GB = 10**9


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A function that makes a machine of 64 processors with these control groups and memory."""

    def make(own="", free=1000 * GB, **files):
        for attribute, name, text in (
            ("_OWN_GROUPS", "own", own),
            ("_MEMORY", "meminfo", f"MemTotal: 9 kB\nMemAvailable: {free // 1024} kB\n"),
        ):
            (tmp_path / name).write_text(text)
            monkeypatch.setattr(processors, attribute, tmp_path / name)
        monkeypatch.setattr(processors, "_GROUPS", tmp_path / "groups")
        for name, text in files.items():
            path = tmp_path / "groups" / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        monkeypatch.setattr(os, "process_cpu_count", lambda: 64, raising=False)
        processors.default_workers.cache_clear()
        return processors.default_workers()

    yield make
    processors.default_workers.cache_clear()


def test_without_limits_there_is_one_for_each_processor(machine):
    assert machine() == 64
    assert GenerateConfig().worker_count == 64
    assert GenerateConfig(workers=3).worker_count == 3


@pytest.mark.parametrize(
    ("quota", "count"), [("max 100000", 64), ("250000 100000", 2), ("50000 100000", 1)]
)
def test_a_containers_quota_counts(machine, quota, count):
    assert machine("0::/\n", cpu_dot_max=quota + "\n") == count


def test_the_tightest_of_the_groups_counts(machine):
    files = {"a__b__cpu_dot_max": "900000 100000", "a__cpu_dot_max": "300000 100000"}
    assert machine("0::/a/b\n", **files) == 3


def test_older_control_groups_have_a_folder_for_each_controller(machine):
    own = "4:cpu,cpuacct:/job\n3:memory:/job\n1:name=systemd:/\n"
    files = {
        "cpu,cpuacct__job__cpu_dot_cfs_quota_us": "500000\n",
        "cpu,cpuacct__job__cpu_dot_cfs_period_us": "100000\n",
        "cpu,cpuacct__cpu_dot_cfs_quota_us": "-1\n",
        "cpu,cpuacct__cpu_dot_cfs_period_us": "100000\n",
    }
    assert machine(own, **files) == 5


def test_as_many_as_fit_into_the_free_memory(machine):
    assert machine(free=13 * processors.WORKER_BYTES + GB // 10) == 13
    assert machine(free=1) == 1


def test_a_containers_memory_counts_without_the_files_it_can_let_go(machine):
    files = {
        "memory_dot_max": str(8 * processors.WORKER_BYTES),
        "memory_dot_current": str(5 * processors.WORKER_BYTES),
        "memory_dot_stat": f"anon 1\ninactive_file {processors.WORKER_BYTES}\n",
    }
    assert machine("0::/\n", **files) == 4


def test_where_the_system_says_nothing_only_processors_count(machine, monkeypatch, tmp_path):
    machine()
    monkeypatch.setattr(processors, "_MEMORY", tmp_path / "none")
    monkeypatch.setattr(processors, "_OWN_GROUPS", tmp_path / "none")
    processors.default_workers.cache_clear()
    assert processors.default_workers() == 64
