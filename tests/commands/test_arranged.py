"""Mapping files on the command line: served, mounted (tests/arrangements) and checked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from threading import Timer

import httpx
import pytest

from diascope.commands.serve import settings_for
from diascope.errors import BadRequest
from tests.arrangements.studies import picture

STUDY = 'arrangement: template\nrules: [{files: "{a}.tif", layout: ome-tiff, target: "x/{a}{suffix}"}]\n'


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    picture(tmp_path / "lab" / "one.tif")
    (tmp_path / "study.yaml").write_text(STUDY)
    return tmp_path / "lab"


def run(lab: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "diascope", *words],
        capture_output=True, text=True, timeout=120, check=False, cwd=lab.parent,
    )  # fmt: skip


def test_check_says_that_nothing_is_wrong_or_what(lab: Path) -> None:
    well = run(lab, "check", "study.yaml", "lab")
    assert (well.returncode, well.stdout) == (0, "1 files and folders are shown; nothing is wrong\n")
    (lab / "broken.tif").write_bytes(b"II*\0")
    (lab / "notes.png").write_bytes(b"")
    wrong = run(lab, "check", "study.yaml", "lab")
    assert wrong.returncode == 1
    first, note, last = wrong.stdout.splitlines()
    assert first.startswith("x/broken.ome.tif: ")
    assert note == "1 images are taken by no rule: notes.png"
    assert last == "2 files and folders are shown; 1 is wrong"
    assert run(lab, "check", "--quick", "study.yaml", "lab").returncode == 0


def test_a_wrong_mapping_is_told_line_by_line(lab: Path) -> None:
    (lab.parent / "study.yaml").write_text("arrangement: template\nrules: [{files: 5}]\nmore: 1\n")
    for words in (["check", "study.yaml", "lab"], ["mount", "--arrange", "study.yaml", "lab", "top"]):
        done = run(lab, *words)
        assert done.returncode == 2
        assert [line.partition(": ")[2].partition(": ")[0] for line in done.stderr.splitlines()] == [
            "study.yaml, line 2, rules[0].files", "study.yaml, line 2, rules[0].target", "study.yaml, line 3, more"
        ]  # fmt: skip
    done = run(lab, "mount", "--arrange", "study.yaml", "http://localhost:1", "top")
    assert (done.returncode, "is no folder" in done.stderr) == (2, True)


def test_serve_shows_the_arrangement_beside_the_folder(lab: Path) -> None:
    words = ["serve", "--arrange", "study.yaml", "--port", "0", "lab"]
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "diascope", *words], stdout=subprocess.PIPE, text=True, cwd=lab.parent,
        env={**os.environ, "DIASCOPE_REFRESH_SECONDS": "0"},
    )  # fmt: skip
    timer = Timer(100, process.kill)
    timer.start()
    try:
        assert process.stdout
        said = process.stdout.readline()
        assert "serves lab, study at " in said
        url = said.split()[-1]
        data = httpx.get(f"{url}data/study/x/one.ome.tif", timeout=60).content
        assert data == httpx.get(f"{url}data/lab/one.tif/original/one.ome.tif", timeout=60).content
        (lab.parent / "study.yaml").write_text("arrangement: template\nrules: 5\n")
        reply = httpx.get(f"{url}data/study/x/one.ome.tif", timeout=60)
        assert (reply.status_code, reply.json()["detail"].partition(": ")[0]) == (502, "study.yaml, line 2, rules")
        told = httpx.get(f"{url}api/arrangements", timeout=60).json()["arrangements"]
        assert told[0]["problems"][0].startswith("study.yaml, line 2, rules: ")
        assert httpx.get(f"{url}data/lab/one.tif/original/one.ome.tif", timeout=60).content == data
    finally:
        timer.cancel()
        process.terminate()
        process.wait(15)
        if process.stdout:
            process.stdout.close()


def test_names_that_clash_are_refused(lab: Path) -> None:
    mapping = lab.parent / "study.yaml"
    with pytest.raises(BadRequest, match="two arrangements would be named 'study'"):
        settings_for([lab], None, None, [mapping, lab / "study.yml"], follow_links=False)
    (lab.parent / "lab.yaml").write_text(STUDY)
    done = run(lab, "serve", "--arrange", "lab.yaml", "lab")
    assert (done.returncode, "has the name of a repository" in done.stderr) == (2, True)


def test_settings_find_a_mapping_beside_their_file(lab: Path, tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "study.yaml").rename(tmp_path / "conf" / "other.yaml")
    (tmp_path / "conf" / "diascope.toml").write_text(
        f'[repositories.lab]\npath = "{lab}"\n[arrangements.study]\nmapping = "other.yaml"\n'
    )
    script = """
from diascope.arrangements.root import root
from diascope.catalogue.catalogue import catalogue
from diascope.settings import Settings

tree = root(Settings(), catalogue(Settings()))
print([entry.name for entry in tree.entries("")], [entry.name for entry in tree.entries("study/x")])
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path,
        env={**os.environ, "DIASCOPE_CONFIG": str(tmp_path / "conf" / "diascope.toml")},
    )  # fmt: skip
    assert done.stdout.strip() == "['lab', 'study'] ['one.ome.tif']", done.stderr
    told = _doctor(tmp_path / "conf" / "diascope.toml")
    assert "ok       arrangements: 1 arrangements configured" in told
    (tmp_path / "conf" / "other.yaml").write_text("arrangement: template\nwrong: 1\n")
    told = _doctor(tmp_path / "conf" / "diascope.toml")
    assert "MISSING  arrangements: other.yaml, line 2, wrong: there is no such field" in told


def _doctor(settings: Path) -> str:
    return subprocess.run(
        [sys.executable, "-m", "diascope", "doctor"], capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "DIASCOPE_CONFIG": str(settings)},
    ).stdout  # fmt: skip
