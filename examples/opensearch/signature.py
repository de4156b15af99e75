"""Checks requests signed with AWS Signature Version 4, as a domain does.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hmac
import re
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import parse_qsl, quote, urlsplit

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[\w]+)/(?P<day>\d{8})/(?P<region>[a-z0-9-]+)/"
    r"(?P<service>[a-z]+)/aws4_request, SignedHeaders=(?P<names>[a-z0-9;-]+), "
    r"Signature=(?P<signature>[0-9a-f]{64})"
)


def find_flaw(
    method: str, url: str, headers: Mapping[str, str], body: bytes, secret: str
) -> str | None:
    """What is wrong with the signature of a request; None if nothing is."""
    match = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if match is None:
        return "there is no signature of version 4"
    names = match["names"].split(";")
    if match["service"] != "es":
        return f"signed for the service {match['service']}"
    if not {"host", "x-amz-date"} <= set(names) or names != sorted(names):
        return f"signed over {names}"
    if not headers.get("x-amz-date", "").startswith(match["day"]):
        return "the time is of another day"
    canonical = _canonical(method, url, {name: headers.get(name, "") for name in names}, body)
    scope = f"{match['day']}/{match['region']}/es/aws4_request"
    to_sign = "\n".join(
        ["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, sha256(canonical.encode()).hexdigest()]
    )
    expected = hmac.new(_derive(secret, scope), to_sign.encode(), sha256).hexdigest()
    return None if hmac.compare_digest(expected, match["signature"]) else "it does not fit"


def _canonical(method: str, url: str, signed: Mapping[str, str], body: bytes) -> str:
    parts = urlsplit(url)
    query = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in sorted(parse_qsl(parts.query, keep_blank_values=True))
    )
    lines = [f"{name}:{value.strip()}" for name, value in sorted(signed.items())]
    digest = sha256(body).hexdigest()
    return "\n".join(
        [method, quote(parts.path or "/"), query, *lines, "", ";".join(sorted(signed)), digest]
    )


def _derive(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), sha256).digest()
    return key
