"""Memory that was freed is used again, as the kernel counts."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

ROUNDS = """
import resource, sys
from diascope.commands.allocator import reuse_freed_memory
if sys.argv[1] == "reused":
    assert reuse_freed_memory()
def used():
    return [bytes(b"x") * (30 << 20) for _ in range(4)]
used()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    used()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(mode: str) -> int:
    """How many pages the kernel had to hand out for blocks that come and go."""
    done = subprocess.run([sys.executable, "-c", ROUNDS, mode], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="this C library has no such setting")
def test_freed_memory_is_kept() -> None:
    assert faults("reused") < faults("as usual") / 10
