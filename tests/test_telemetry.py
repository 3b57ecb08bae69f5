"""Libraries that report to their makers how they are used do not do so for users of repogen."""

import os
import subprocess
import sys

import pytest

ESTIMATE = """
from repogen.inference.onnx import onnx_estimator
from repogen.models.packaged import packaged_onnx
onnx_estimator(packaged_onnx("lightning"), 60)
"""
SWITCHES = ("ORT_DISABLE_TELEMETRY", "RAY_USAGE_STATS_ENABLED", "HF_HUB_DISABLE_TELEMETRY")


def run(program, home, **variables):
    kept = {k: v for k, v in os.environ.items() if k not in (*SWITCHES, "CI", "XDG_CACHE_HOME")}
    return subprocess.run(
        [sys.executable, "-c", program],
        env=kept | {"HOME": str(home)} | variables,
        capture_output=True,
        check=True,
        text=True,
    ).stdout


def test_onnxruntime_does_not_identify_the_machine(tmp_path):
    """It keeps an identifier for its reports in the home folder."""
    run(ESTIMATE, tmp_path)
    assert [path for path in tmp_path.rglob("*") if "onnxruntime" in str(path)] == []


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_user_may_let_them_report(tmp_path, switch):
    program = f"import os, repogen; print(os.environ[{switch!r}])"
    assert run(program, tmp_path, **{switch: "yes"}) == "yes\n"
    assert run(program, tmp_path) in ("0\n", "1\n")
