"""Places behind an S3 door, ``s3+http://host/s3/bucket/key``, as each client of S3 wants to be told of them."""

from __future__ import annotations

from typing import Any, NamedTuple

from obstore.store import S3Store


class Place(NamedTuple):
    """A key, or a prefix of keys."""

    endpoint: str
    bucket: str
    key: str

    @property
    def options(self) -> dict[str, Any]:
        """Of obstore, without a signature."""
        return {
            "endpoint": self.endpoint,
            "region": "us-east-1",
            "skip_signature": True,
            "client_options": {"allow_http": True},
        }

    @property
    def kvstore(self) -> dict[str, Any]:
        """Of TensorStore, without a signature."""
        return {
            "driver": "s3",
            "bucket": self.bucket,
            "path": f"{self.key}/",
            "endpoint": self.endpoint,
            "aws_region": "us-east-1",
            "aws_credentials": {"type": "anonymous"},
        }

    @property
    def store(self) -> S3Store:
        """Of obstore, at the key."""
        return S3Store(self.bucket, prefix=self.key, **self.options)


def place(where: str) -> Place | None:
    """What is meant, None where it is not behind an S3 door."""
    if not where.startswith("s3+"):
        return None
    url, _, path = where.removeprefix("s3+").partition("/s3/")
    bucket, _, key = path.strip("/").partition("/")
    return Place(f"{url}/s3", bucket, key)
