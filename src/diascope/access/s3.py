"""The tree as S3 has it, read-only: the folders at the top are buckets, the paths below them keys.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from secrets import token_hex
from urllib.parse import unquote

from diascope.access.answer import Answer, Asked, answered
from diascope.access.s3_error import CODES as ERROR_CODES
from diascope.access.s3_error import Refused, document, element, failed, failure, text
from diascope.access.s3_listing import answered as listed
from diascope.access.s3_listing import page, wanted
from diascope.access.s3_signature import Query, parameters, verify
from diascope.tree.file import File, Tree, sized
from diascope.work import on_behalf_of

REGION = "us-east-1"
"""The region of those who have none; a signature may name any."""

OF_BUCKETS = frozenset((
    "accelerate", "acl", "analytics", "cors", "encryption", "intelligent-tiering", "inventory", "lifecycle", "logging",
    "metrics", "notification", "object-lock", "ownershipControls", "policy", "policyStatus", "publicAccessBlock",
    "replication", "requestPayment", "session", "tagging", "uploads", "versions", "website",
))  # fmt: skip
OF_OBJECTS = frozenset((
    "acl", "attributes", "legal-hold", "partNumber", "retention", "select", "tagging", "torrent", "uploadId",
))  # fmt: skip
"""Parameters that ask for something other than the bytes, which is not there."""


@dataclass(frozen=True, slots=True)
class S3:
    """Answers requests for buckets and keys."""

    tree: Tree
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Secret keys by access key; without any, nobody needs to sign, and signatures are not looked at."""
    domain: str = ""
    """Of hosts whose names begin with a bucket."""
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When everything was last changed, as far as S3 can be told: a file that is made has no such time of its own."""

    def answer(self, path: str, query: str, asked: Asked) -> Answer:
        """Path style: ``path`` is bucket and key."""
        bucket, _, key = path.partition("/")
        return self._told(bucket, key, query, asked)

    def hosted(self, path: str, query: str, asked: Asked) -> Answer:
        """Virtual-host style: the host begins with the bucket, and ``path`` is the key behind a slash."""
        host = asked.headers.get("host", "").partition(":")[0]
        # Of a bucket's name the host keeps no capitals; a repository may have them.
        bucket = self._named(host[: max(0, len(host) - len(self.domain) - 1)])
        return self._told(bucket, path[1:], query, asked) if bucket else self.answer(path[1:], query, asked)

    def _named(self, host: str) -> str:
        names = [entry.name for entry in self.tree.entries("") or ()]
        return next((name for name in names if name.lower() == host.lower()), host)

    def _told(self, bucket: str, key: str, query: str, asked: Asked) -> Answer:
        """Whatever happens is told as S3 tells it; trouble is never 404."""
        request = asked.id or token_hex(8).upper()
        resource = f"/{bucket}/{key}" if bucket else "/"
        try:
            answer = self._answer(bucket, key, parameters(query), asked)
        except Exception as error:  # noqa: BLE001
            answer = failed(error, asked, resource, request)
        if answer.status in (HTTPStatus.PRECONDITION_FAILED, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE):
            code = ERROR_CODES[answer.status]
            told = failure(answer.status, code, answer.status.description, resource, request)
            answer = replace(told, headers=answer.headers | told.headers)
        return replace(answer, headers=answer.headers | {"x-amz-request-id": request})

    def _answer(self, bucket: str, key: str, query: Query, asked: Asked) -> Answer:
        if asked.trouble:
            raise asked.trouble
        if self.keys:
            path = "/" + unquote(asked.url.partition("//")[2].partition("/")[2])
            on_behalf_of(verify(asked, path, query, self.keys, datetime.now(UTC)))
        if asked.method in {"PUT", "POST", "DELETE"}:
            raise Refused("AccessDenied", HTTPStatus.FORBIDDEN, "everything here is read-only")
        if asked.method not in {"GET", "HEAD"}:
            raise Refused("MethodNotAllowed", HTTPStatus.METHOD_NOT_ALLOWED, f"{asked.method} is not served")
        if not bucket:
            return self._buckets()
        if self.tree.entries(bucket) is None:
            raise Refused("NoSuchBucket", HTTPStatus.NOT_FOUND, f"there is no bucket {bucket!r}")
        return self._object(bucket, key, dict(query), asked) if key else self._bucket(bucket, dict(query), asked)

    def _buckets(self) -> Answer:
        names = sorted(entry.name for entry in self.tree.entries("") or () if entry.is_folder)
        created = text("CreationDate", self._moment())
        owner = element("Owner", text("ID", "diascope"), text("DisplayName", "diascope"))
        buckets = (element("Bucket", text("Name", name), created) for name in names)
        return document(HTTPStatus.OK, "ListAllMyBucketsResult", owner, element("Buckets", *buckets))

    def _bucket(self, bucket: str, query: Mapping[str, str], asked: Asked) -> Answer:
        region = {"x-amz-bucket-region": REGION}
        if asked.method == "HEAD":
            return Answer(HTTPStatus.OK, region | {"content-length": "0"})
        _refuse(OF_BUCKETS, query)
        if "location" in query:
            # Of that region it is empty.
            return document(HTTPStatus.OK, "LocationConstraint")
        if "versioning" in query:
            return document(HTTPStatus.OK, "VersioningConfiguration")
        want = wanted(query)
        answer = listed(bucket, want, page(self.tree, bucket, want, object_of), self._moment())
        return replace(answer, headers=answer.headers | region)

    def _object(self, bucket: str, key: str, query: Mapping[str, str], asked: Asked) -> Answer:
        _refuse(OF_OBJECTS, query)
        if query.get("versionId", "null") != "null":
            raise Refused("NoSuchVersion", HTTPStatus.NOT_FOUND, "there is no version but the one of now")
        # A key that ends in a slash is a folder at the most.
        file = None if key.endswith("/") else self.tree.file(f"{bucket}/{key}")
        if file is None:
            raise Refused("NoSuchKey", HTTPStatus.NOT_FOUND, f"there is nothing at {key!r}")
        answer = answered(object_of(file), asked)
        changed = {"last-modified": f"{self.since:%a, %d %b %Y %H:%M:%S GMT}"}
        return replace(answer, headers=answer.headers | changed)

    def _moment(self) -> str:
        return f"{self.since:%Y-%m-%dT%H:%M:%S}.000Z"


def object_of(file: File) -> File:
    """A file with its true size, made where only that can tell, and a tag that nobody takes for an MD5.

    Clients compare an ETag of 32 hexadecimal digits with the MD5 of what they got; with a number of parts behind it
    they know better. A key is no URL, so that a file that would tell its own is as it is.
    """
    return sized(replace(file, etag=f"{file.etag}-1" if file.etag else None, located=None))


def _refuse(unserved: frozenset[str], query: Mapping[str, str]) -> None:
    for name in unserved & query.keys():
        raise Refused("NotImplemented", HTTPStatus.NOT_IMPLEMENTED, f"{name} is not served")
