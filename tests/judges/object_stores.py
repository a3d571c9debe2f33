"""Servers that files are read from: moto (S3, and with it Google's XML), Azurite (Azure), nginx and rclone (HTTP).

Each is started once for all tests of a process, on a free port of this machine, and ends with the process.
"""

from __future__ import annotations

import atexit
import base64
import hashlib
import hmac
import os
import shutil
import socket
import subprocess
from collections.abc import Sequence
from email.utils import formatdate
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic, sleep
from typing import Any

import httpx

JUDGES = Path(__file__).parents[2] / ".judges"
MOTO = JUDGES / "object-stores" / "bin" / "moto_server"
AZURITE = JUDGES / "azurite" / "node_modules" / ".bin" / "azurite-blob"
PATIENCE = 60

ACCESS, SECRET, REGION = "accessnevertold", "never/to+be/seen", "us-east-1"
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""That of every Azurite, known to everybody."""

NGINX = """\
{user}daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off; types {{ }} default_type application/octet-stream;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{port}; root "{root}"; autoindex on; location /json/ {{ alias "{root}/"; autoindex on;
    autoindex_format json; }} }}
}}
"""


def lacking(name: str) -> str | None:
    """What this machine lacks for a server, with the command that mends it."""
    there = {
        "moto": MOTO.exists(),
        "azurite": AZURITE.exists() and shutil.which("node") is not None,
        "nginx": _nginx() is not None,
        "rclone": shutil.which("rclone") is not None,
    }
    return None if there[name] else f"{name} is not here: tests/judges/install.sh"


@cache
def s3() -> str:
    """The endpoint of an S3 server that knows any keys."""
    port = _free_port()
    return _started([str(MOTO), "-H", "127.0.0.1", "-p", str(port)], port)


@cache
def s3_of(folder: Path) -> str:
    """The endpoint of an S3 server with a bucket ``shared`` of all the files in a folder."""
    port = _free_port()
    program = [str(MOTO.with_name("python")), str(Path(__file__).with_name("moto_folder.py"))]
    return _started([*program, str(port), "shared", str(folder)], port)


@cache
def azure() -> str:
    """The endpoint of the one account of an Azure server."""
    port = _free_port()
    flags = ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent"]
    return f"{_started([str(AZURITE), *flags, '--blobPort', str(port)], port)}/{ACCOUNT}"


@cache
def nginx(root: Path) -> str:
    """The URL of a folder whose folders it lists as pages, and below ``/json/`` as JSON."""
    port, folder = _free_port(), _scratch()
    user = "user root; " if os.geteuid() == 0 else ""  # else its workers may not read what tests write
    (folder / "nginx.conf").write_text(NGINX.format(user=user, folder=folder, port=port, root=root))
    return _started([str(_nginx()), "-e", f"{folder}/error.log", "-p", str(folder), "-c", f"{folder}/nginx.conf"], port)


@cache
def rclone(root: Path) -> str:
    """The URL of a folder whose folders it lists as pages."""
    port = _free_port()
    return _started(["rclone", "serve", "http", str(root), "--addr", f"127.0.0.1:{port}", "--read-only"], port)


@cache
def s3_client() -> Any:
    """What writes to the S3 server."""
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=s3(),
        aws_access_key_id=ACCESS,
        aws_secret_access_key=SECRET,
        region_name=REGION,
    )


def bucket(name: str, files: dict[str, bytes], acl: str = "private") -> None:
    """A new bucket on the S3 server with these files; clients of Google name one with a hyphen otherwise."""
    s3_client().create_bucket(Bucket=name, ACL=acl)
    for key, data in files.items():
        s3_client().put_object(Bucket=name, Key=key, Body=data, ACL=acl)


def azure_container(name: str) -> None:
    """A new container on the Azure server, made as its REST interface says (Create Container)."""
    date = formatdate(usegmt=True)
    headers = {"x-ms-date": date, "x-ms-version": "2021-08-06", "content-type": "application/octet-stream"}
    told = f"x-ms-date:{date}\nx-ms-version:2021-08-06\n/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
    text = f"PUT\n\n\n\n\n{headers['content-type']}\n\n\n\n\n\n\n{told}"
    key = base64.b64decode(ACCOUNT_KEY)
    signature = base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()
    headers["authorization"] = f"SharedKey {ACCOUNT}:{signature}"
    httpx.put(f"{azure()}/{name}", params={"restype": "container"}, headers=headers).raise_for_status()


def _nginx() -> str | None:
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _scratch() -> Path:
    folder = Path(mkdtemp(prefix="diascope-judge-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _started(command: Sequence[str], port: int) -> str:
    """The URL of a server once it accepts connections."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=_scratch())
    atexit.register(_ended, process)
    end = monotonic() + PATIENCE
    while monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            sleep(0.05)
        else:
            return f"http://127.0.0.1:{port}"
    raise RuntimeError(f"{command[0]} did not start: {process.poll()}")


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)
