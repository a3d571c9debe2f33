"""An S3 server, run by the Python that has moto: ``moto_folder.py PORT [BUCKET FOLDER]``."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

ACCOUNT = "123456789012"


def main() -> None:
    """Serve a bucket of all the files in a folder, each under its path."""
    port, name, folder = sys.argv[1:]
    backend = s3_backends[ACCOUNT]["aws"]
    backend.create_bucket(name, "us-east-1")
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file():
            backend.put_object(name, path.relative_to(folder).as_posix(), path.read_bytes())
    ThreadedMotoServer("127.0.0.1", int(port), verbose=False).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
