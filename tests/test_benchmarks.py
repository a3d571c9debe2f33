"""The benchmarks run, and check what they are given; how fast it is, is nothing that a test can tell."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from diascope.registry import registry
from tests.mounts import needed

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.skipif(sys.platform != "linux", reason="processor time is read from /proc")
def test_requests_per_second_runs(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "requests_per_second.py"), "--quick", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "requests_per_second.json").read_text())
    assert len(found["results"]) >= 4
    for result in found["results"]:
        assert result["first"]["requests"] > 0
        assert result["again"]["requests"] > 0


def test_mount_runs(tmp_path: Path) -> None:
    needed()
    command = [sys.executable, str(BENCHMARKS / "mount.py"), "--quick", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "mount.json").read_text())
    assert list(found) == ["pyramid", "one level"]
    for each in found.values():
        assert each["ratio"] == pytest.approx(each["mount"] / each["tifffile"])
    assert done.stdout.count("tifffile directly") == 2


@pytest.mark.skipif(sys.platform != "linux", reason="processor time is read from /proc")
def test_doors_run(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "doors.py"), "--quick", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "doors.json").read_text())
    assert len(found) == 6
    assert all(each["wall_ms"] > 0 for each in found.values())


def test_point_operations_run(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "point_operations.py"), "--quick", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "point_operations.json").read_text())
    assert len(found) == 4
    assert all(set(each) == {"fused", "unfused", "numpy"} for each in found.values())


def test_resampling_runs(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "resampling.py"), "--quick", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    for result in json.loads((tmp_path / "resampling.json").read_text())["results"]:
        fastest = min(result["milliseconds"][name] for name in ("SimpleITK", "SciPy"))
        assert result["ratio"] == pytest.approx(result["milliseconds"]["diascope"] / fastest)
        if result["interpolation"] == "linear":
            assert result["differs"]["diascope"] <= 1
    assert "of the faster" in done.stdout


def test_arrangements_runs(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "arrangements.py"), "--quick", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "arrangements.json").read_text())["files"] == 2000
    assert "2000 files are arranged in" in done.stdout


def test_recipes_run(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "recipes.py"), "--quick", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "recipes.json").read_text())
    assert set(found) == {"stack", "moved"}
    assert done.stdout.count("of the file") == 2


def test_projection_runs(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "projection.py"), "--quick", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "projection.json").read_text())["results"]
    assert [each["method"] for each in results] == ["max", "mean", "sum", "std", "median"]
    assert "of numpy's time" in done.stdout


def test_bending_runs(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "bending.py"), "--quick", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "bending.json").read_text())
    for each in found["results"]:
        assert each["differs"]["diascope"] <= 1


def test_filters_run(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", str(BENCHMARKS / "filters.py"), "--quick", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "filters.json").read_text())
    assert len(found) == 11
    assert all("diascope" in times and len(times) > 1 for times in found.values())


@pytest.mark.skipif(sys.platform != "linux", reason="the processor time of workers is read from /proc")
def test_sources_run(tmp_path: Path) -> None:
    """It compares the pixels of each source with those that the library of its field reads."""
    command = [sys.executable, str(BENCHMARKS / "sources.py"), "--quick", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "sources.json").read_text())
    assert {each["source"] for each in found} == set(registry("sources"))
    for each in found:
        assert each["ratio"] == pytest.approx(each["cold"] / each["plain"])
        assert ("worker" in each) == registry("sources")[each["source"]].is_isolated
        assert each["warm"] > 0


def test_isolation_runs() -> None:
    command = [sys.executable, str(BENCHMARKS / "isolation.py"), "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "through a worker" in done.stdout
