"""Amazon Connect's DescribeContact.

https://docs.aws.amazon.com/connect/latest/APIReference/API_DescribeContact.html
"""

import re
from urllib.parse import unquote

from examples.provider_sink.exchange import AWS_AUTHORIZATION, Request, Response, json_response

PATH = re.compile(r"/connect/contacts/(?P<instance>[^/]+)/(?P<contact>[^/]+)")
# Whoever plays a call writes the caller's number before the contact's own id.
_CALLER = re.compile(r"(\+[0-9]{3,15})\.")


def describe(request: Request) -> Response:
    """A contact whose id tells no number has none: the caller is anonymous."""
    match = PATH.fullmatch(request.path)
    if match is None or not AWS_AUTHORIZATION.match(request.headers.get("Authorization", "")):
        return json_response(403, {"Message": "not signed"}, {"X-Amzn-ErrorType": "AccessDenied"})
    contact = unquote(match["contact"])
    caller = _CALLER.match(contact)
    endpoint = {"Type": "TELEPHONE_NUMBER", "Address": caller[1]} if caller else {}
    said = {"Id": contact, **({"CustomerEndpoint": endpoint} if endpoint else {})}
    return json_response(200, {"Contact": said})
