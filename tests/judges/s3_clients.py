"""The AWS command line and s3fs as judges, in an environment of their own: they need a botocore of their own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PLACE = Path(__file__).parents[2] / ".judges" / "s3" / "bin"
PATIENCE = 90

S3FS = """
import json, sys
import numpy, s3fs, zarr
asked = json.loads(sys.argv[1])
options = {"client_kwargs": {"endpoint_url": asked["endpoint"], "region_name": "us-east-1"}, **asked["signing"]}
array = zarr.open_array(f"s3://{asked['place']}/0", mode="r", storage_options=options)
files = s3fs.S3FileSystem(**options)
sizes = {path: told["size"] for path, told in files.find(asked["place"], detail=True).items()}
with files.open(f"{asked['file']}", block_size=5000) as file:
    head = file.read(10) + file.read()[-10:]
numpy.save(asked["out"], array[...])
print(json.dumps({"sizes": sizes, "ends": head.hex(), "told": files.info(asked["file"])["size"]}))
"""
"""Reads a Zarr array, lists what is below it, and reads a file block by block."""


def missing() -> str | None:
    """What this machine lacks, with the command that mends it."""
    return None if (PLACE / "aws").exists() else "the AWS command line and s3fs are not here: tests/judges/install.sh"


def environment(keys: Mapping[str, str], home: Path) -> dict[str, str]:
    """What the clients are told: the first of the keys, or that there is none."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    (home / "aws.ini").write_text("[default]\ns3 =\n    signature_version = s3v4\n    addressing_style = path\n")
    told = {
        "AWS_CONFIG_FILE": str(home / "aws.ini"),
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
        "PYTHONWARNINGS": "ignore",
    }
    for access, secret in list(keys.items())[:1]:
        told |= {"AWS_ACCESS_KEY_ID": access, "AWS_SECRET_ACCESS_KEY": secret}
    return kept | told


def aws(endpoint: str, keys: Mapping[str, str], home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """What the AWS command line says."""
    anonymous = [] if keys else ["--no-sign-request"]
    command = [str(PLACE / "aws"), "--endpoint-url", endpoint, *anonymous, *words]
    return subprocess.run(
        command, env=environment(keys, home), cwd=home, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def s3fs(endpoint: str, keys: Mapping[str, str], home: Path, place: str, file: str) -> tuple[NDArray[Any], Any]:
    """The pixels of a Zarr array, and what s3fs says of the files; raises CalledProcessError with what it said."""
    out = home / "pixels.npy"
    signing = {} if keys else {"anon": True}
    asked = {"endpoint": endpoint, "place": place, "file": file, "out": str(out), "signing": signing}
    command = [str(PLACE / "python"), "-c", S3FS, json.dumps(asked)]
    done = subprocess.run(
        command, env=environment(keys, home), cwd=home, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    return np.load(out), json.loads(done.stdout)
