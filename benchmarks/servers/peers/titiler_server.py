"""TiTiler's own application for one file after another, which the address names: ``python peer.py FOLDER PORT``.

The files are told to lie on the Web Mercator map, each as large as the world, by what GDAL reads beside them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

folder, port = Path(sys.argv[1]), int(sys.argv[2])
os.chdir(folder)
os.environ.update(GDAL_CACHEMAX="200", VSI_CACHE="TRUE")

import uvicorn  # noqa: E402
from fastapi import FastAPI  # noqa: E402
from titiler.core.errors import DEFAULT_STATUS_CODES, add_exception_handlers  # noqa: E402
from titiler.core.factory import TilerFactory  # noqa: E402

application = FastAPI()
application.include_router(TilerFactory().router)
add_exception_handlers(application, DEFAULT_STATUS_CODES)
uvicorn.run(application, port=port, loop="uvloop", http="httptools", access_log=False, log_level="warning")
