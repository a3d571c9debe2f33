"""Who signed a request (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html).

Signature Version 4 in the Authorization header or, of a presigned URL, in the query.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest, digest
from http import HTTPStatus
from urllib.parse import quote, unquote_plus

from diascope.access.answer import Asked
from diascope.access.s3_error import Refused

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
SKEW = timedelta(minutes=15)
"""How far the clocks of client and server may differ."""
LONGEST = 7 * 24 * 3600
"""For how many seconds a presigned URL is valid at the most."""

HEADER = re.compile(
    rf"{ALGORITHM}\s+Credential=(?P<credential>[^,\s]+)\s*,\s*SignedHeaders=(?P<signed>[^,\s]+)\s*,"
    r"\s*Signature=(?P<signature>[^,\s]+)\s*"
)

Query = list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a request says of its signature."""

    credential: str
    signed: str
    """The names of the headers that are signed, joined by semicolons."""
    signature: str
    moment: str
    payload: str
    expires: int | None = None
    """Seconds from the moment on, of a presigned URL."""

    @property
    def scope(self) -> list[str]:
        """Access key, day, region, service, and the end of the scope."""
        return self.credential.rsplit("/", 4)


def parameters(query: str) -> Query:
    """The names and values of a query; a plus is a space, as in forms."""
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return [(unquote_plus(name), unquote_plus(value)) for name, _, value in pairs]


def verify(asked: Asked, path: str, query: Query, keys: Mapping[str, str], now: datetime) -> str:
    """The access key that has signed the request; ``path`` is the whole, not percent-encoded.

    Raises Refused where none of the keys has.
    """
    claim = _claim(asked, dict(query))
    moment = _moment(claim)
    access_key, day, region, *_ = _scope(claim, moment)
    _check_time(claim, moment, now)
    _check_headers(claim, asked)
    if access_key not in keys:
        raise Refused("InvalidAccessKeyId", HTTPStatus.FORBIDDEN, "the access key is not known here")
    request = canonical(claim, asked, path, query)
    scope = f"{day}/{region}/s3/aws4_request"
    to_sign = "\n".join([ALGORITHM, claim.moment, scope, sha256(request.encode()).hexdigest()])
    key = f"AWS4{keys[access_key]}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = digest(key, part.encode(), sha256)
    if not compare_digest(digest(key, to_sign.encode(), sha256).hex().encode(), claim.signature.encode()):
        raise Refused("SignatureDoesNotMatch", HTTPStatus.FORBIDDEN, "the signature is not the one of this request")
    return access_key


def canonical(claim: Claim, asked: Asked, path: str, query: Query) -> str:
    """The request as it is signed."""
    pairs = sorted((_escaped(k), _escaped(v)) for k, v in query if not (claim.expires and k == "X-Amz-Signature"))
    names = claim.signed.split(";")
    headers = "".join(f"{name}:{' '.join(asked.headers.get(name, '').split())}\n" for name in names)
    parts = [asked.method, quote(path, safe="/~"), "&".join(f"{k}={v}" for k, v in pairs), headers, claim.signed]
    return "\n".join([*parts, claim.payload])


def _escaped(text: str) -> str:
    return quote(text, safe="~")


def _claim(asked: Asked, query: Mapping[str, str]) -> Claim:
    header = asked.headers.get("authorization")
    if header is not None and "X-Amz-Signature" in query:
        raise _malformed("InvalidArgument", "a request is signed in the header or in the query, not in both")
    if header is None:
        return _presigned(query)
    found = HEADER.fullmatch(header.strip())
    if found is None:
        raise _malformed("AuthorizationHeaderMalformed", f"the Authorization header is not one of {ALGORITHM}")
    if "x-amz-content-sha256" not in asked.headers:
        raise _malformed("InvalidRequest", "the header x-amz-content-sha256 is missing")
    return Claim(
        credential=found["credential"],
        signed=found["signed"],
        signature=found["signature"],
        moment=asked.headers.get("x-amz-date", ""),
        payload=asked.headers["x-amz-content-sha256"],
    )


def _presigned(query: Mapping[str, str]) -> Claim:
    if "X-Amz-Signature" not in query:
        raise Refused("AccessDenied", HTTPStatus.FORBIDDEN, "only signed requests are answered")
    expires = query.get("X-Amz-Expires", "")
    if query.get("X-Amz-Algorithm") != ALGORITHM:
        raise _malformed("AuthorizationQueryParametersError", f"X-Amz-Algorithm is not {ALGORITHM}")
    if not (expires.isascii() and expires.isdecimal() and len(expires) <= 6 and 1 <= int(expires) <= LONGEST):
        raise _malformed("AuthorizationQueryParametersError", f"X-Amz-Expires is no number from 1 to {LONGEST}")
    return Claim(
        credential=query.get("X-Amz-Credential", ""),
        signed=query.get("X-Amz-SignedHeaders", ""),
        signature=query["X-Amz-Signature"],
        moment=query.get("X-Amz-Date", ""),
        payload=UNSIGNED,
        expires=int(expires),
    )


def _moment(claim: Claim) -> datetime:
    try:
        return datetime.strptime(claim.moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Refused("AccessDenied", HTTPStatus.FORBIDDEN, "the request has no valid X-Amz-Date") from None


def _scope(claim: Claim, moment: datetime) -> list[str]:
    scope = claim.scope
    if len(scope) != 5 or scope[3:] != ["s3", "aws4_request"] or scope[1] != f"{moment:%Y%m%d}":
        code = "AuthorizationQueryParametersError" if claim.expires else "AuthorizationHeaderMalformed"
        raise _malformed(code, "the credential is not KEY/DAY/REGION/s3/aws4_request of the request's day")
    return scope


def _check_time(claim: Claim, moment: datetime, now: datetime) -> None:
    if claim.expires is None:
        if abs(now - moment) > SKEW:
            raise Refused("RequestTimeTooSkewed", HTTPStatus.FORBIDDEN, "the clocks differ by more than 15 minutes")
    elif moment - now > SKEW:
        raise Refused("AccessDenied", HTTPStatus.FORBIDDEN, "the request is not valid yet")
    elif now > moment + timedelta(seconds=claim.expires):
        raise Refused("AccessDenied", HTTPStatus.FORBIDDEN, "the request has expired")


def _check_headers(claim: Claim, asked: Asked) -> None:
    """The host and everything that S3 itself reads must be signed."""
    signed = set(claim.signed.split(";"))
    needed = {"host"} | {name for name in asked.headers if name.startswith("x-amz-")}
    if not needed <= signed:
        missing = ", ".join(sorted(needed - signed))
        raise Refused("AccessDenied", HTTPStatus.FORBIDDEN, f"headers are there that are not signed: {missing}")


def _malformed(code: str, message: str) -> Refused:
    return Refused(code, HTTPStatus.BAD_REQUEST, message)
