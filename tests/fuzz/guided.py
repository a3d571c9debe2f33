"""Spoils files led by what code they reach (https://github.com/google/atheris): ``python -m tests.fuzz.guided SOURCE``.

For readers whose parsers are ours; what libraries in C do is seen by its end alone.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris

with atheris.instrument_imports(include=["diascope.sources"]):
    from diascope.registry import registry

    list(registry("sources").values())

from tests.fuzz.judge import judged
from tests.fuzz.seeds import seeds

LONGEST = 1 << 16
"""Bytes of a file."""
GROWTH = 4096
"""Mebibytes that may be taken for all files."""


def main() -> None:
    """``guided.py SOURCE SECONDS``; a finding ends it with what is wrong, and leaves the file as libFuzzer does."""
    source, seconds = sys.argv[1], sys.argv[2]
    with TemporaryDirectory() as folder:
        top = Path(folder)
        corpus = top / "corpus"
        (top / "seeds").mkdir()
        corpus.mkdir()
        files = [path for path in seeds(source, top / "seeds") if path.is_file() and path.stat().st_size <= LONGEST]
        for number, path in enumerate(files):
            (corpus / str(number)).write_bytes(path.read_bytes())
        name = f"case{files[0].name[files[0].name.index('.') :]}"

        def test_one_input(data: bytes) -> None:
            (top / name).write_bytes(data)
            if wrong := judged(top / name):
                raise AssertionError(wrong)

        options = [
            f"-max_total_time={seconds}",
            f"-max_len={LONGEST}",
            "-timeout=30",
            f"-rss_limit_mb={_peak() + GROWTH}",
            "-verbosity=0",
        ]
        atheris.Setup([sys.argv[0], *options, str(corpus)], test_one_input)
        atheris.Fuzz()


def _peak() -> int:
    """Mebibytes that libFuzzer takes for what was used before: a process inherits the peak of the one that began it."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


if __name__ == "__main__":
    main()
