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
def test_servers_run_beside_one_another_and_what_is_missing_is_told(tmp_path: Path) -> None:
    wanted = ["--only", "tile,raw", "--servers", "Diascope,tiamat", "--peers", str(tmp_path)]
    done = servers(tmp_path, *wanted)
    found = json.loads((tmp_path / "servers.json").read_text())
    ours = [result for result in found["results"] if result["name"].startswith("Diascope")]
    assert [result["work"] for result in ours] == ["tile", "tile", "raw"]
    for result in ours:
        assert not result["missing"]
        assert result["checked"] > 0
        assert all(phase["cpu_ms"] > 0 for phase in result["phases"])
    assert "NOT MEASURED: tiamat, raw" in done
    assert done.count("W1 Diascope") == 4


def test_reading_from_front_to_back_runs(tmp_path: Path) -> None:
    needed()
    done = servers(tmp_path, "--only", "sequential")
    found = json.loads((tmp_path / "servers.json").read_text())
    assert [each["source"] for each in found["sequential"]] == ["deflated"]
    assert done.count("W7") == 2


@pytest.mark.skipif(sys.platform != "linux", reason="processor time is told by the kernel's clocks")
def test_startup_runs() -> None:
    command = [sys.executable, str(BENCHMARKS / "startup.py"), "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "2,000 indexed files to the first tile" in done.stdout
    assert done.stdout.count("s of CPU") == 5


def servers(folder: Path, *words: str) -> str:
    command = [sys.executable, "-m", "benchmarks.servers", "--quick", "--folder", str(folder), *words]
    done = subprocess.run(command, cwd=BENCHMARKS.parent, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


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


def test_caches_run() -> None:
    command = [sys.executable, str(BENCHMARKS / "caches.py"), "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "a hit:" in done.stdout
