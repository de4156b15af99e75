"""Twilio's status callbacks: https://www.twilio.com/docs/messaging/guides/track-outbound-message-status

Signed as in https://www.twilio.com/docs/usage/webhooks/webhooks-security
"""

import base64
import hmac
import sys
import time
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from threading import Thread
from urllib.parse import SplitResult, urlencode, urlsplit

from examples.provider_sink.accounts import TwilioAccount
from examples.provider_sink.received import Received
from examples.provider_sink.twilio import API_VERSION

STATUSES = ("sent", "delivered")
SECONDS_BETWEEN = 0.2
WAITS_BEFORE_TRIES = (0.0, 0.5, 1.0, 2.0)
TIMEOUT_SECONDS = 15.0


def report_delivery(received: Received, account: TwilioAccount) -> None:
    """Tell the sender's StatusCallback, if it gave one, in the background."""
    url = received.request.get("StatusCallback")
    if received.provider_id and url:
        Thread(target=_post_all, args=(url, received, account), daemon=True).start()


def sign(auth_token: str, url: str, form: dict[str, str]) -> str:
    text = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.digest(auth_token.encode(), text.encode(), "sha1")).decode()


def _post_all(url: str, received: Received, account: TwilioAccount) -> None:
    for status in STATUSES:
        time.sleep(SECONDS_BETWEEN)
        form = _form(status, received, account)
        if not _post_with_retries(url, form, sign(account.auth_token, url, form)):
            print(f"status callback {status} given up: {url}", file=sys.stderr)


def _form(status: str, received: Received, account: TwilioAccount) -> dict[str, str]:
    sid = str(received.provider_id)
    return {
        "AccountSid": account.sid,
        "ApiVersion": API_VERSION,
        "From": received.sender,
        "MessageSid": sid,
        "MessageStatus": status,
        "SmsSid": sid,
        "SmsStatus": status,
        "To": received.to[0],
    }


def _post_with_retries(url: str, form: dict[str, str], signature: str) -> bool:
    for wait in WAITS_BEFORE_TRIES:
        time.sleep(wait)
        try:
            if 200 <= _post(url, form, signature) < 300:
                return True
        except (OSError, HTTPException, ValueError) as error:
            print(f"status callback failed: {url}: {error}", file=sys.stderr)
    return False


def _post(url: str, form: dict[str, str], signature: str) -> int:
    parts = urlsplit(url)
    if parts.scheme != "http" or not _is_loopback(parts):
        raise ValueError("the sink calls back only http:// addresses on this machine")
    # Always to the loopback address: names such as api.localhost need not resolve everywhere.
    connection = HTTPConnection("127.0.0.1", parts.port or 80, timeout=TIMEOUT_SECONDS)
    headers = {
        "Host": parts.netloc.rpartition("@")[2],
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "User-Agent": "TwilioProxy/1.1",
        "X-Twilio-Signature": signature,
    }
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", target, urlencode(form), headers)
        return connection.getresponse().status
    finally:
        connection.close()


def _is_loopback(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
