"""Is the customer a person? Every verifier answers the same question in the same form.

https://developers.cloudflare.com/turnstile/get-started/server-side-validation/
https://docs.hcaptcha.com/#verify-the-user-response-server-side
https://developers.google.com/recaptcha/docs/verify
"""

from urllib.parse import urlencode

from caseweave.channels.credentials import Credentials
from caseweave.channels.request import ProviderAnswer, ProviderRequest, read_json_object
from caseweave.errors import MissingSecretError, UnparseableError

PROVIDER = "human_check"
NONE = "none"
_ADDRESSES = {
    "turnstile": "https://challenges.cloudflare.com/turnstile/v0/siteverify",
    "hcaptcha": "https://api.hcaptcha.com/siteverify",
    "recaptcha": "https://www.google.com/recaptcha/api/siteverify",
}
# Any service of the same shape, at the address `url` of its credentials.
HTTP = "http"
VERIFIERS = (NONE, *_ADDRESSES, HTTP)
# Our own fault, not the customer's: the verifier did not look at the answer.
_OUR_FAULT = frozenset({"missing-input-secret", "invalid-input-secret", "sitekey-secret-mismatch"})


def build_verification(
    verifier: str, token: str, client_address: str, base_url: str, credentials: Credentials
) -> ProviderRequest:
    """The question whether *token* is a person's. *base_url* stands in for the verifier, in tests.

    Raises MissingSecretError.
    """
    address = base_url or _ADDRESSES.get(verifier) or credentials.current("url")
    said = {"secret": credentials.current("secret"), "response": token}
    if client_address:
        said["remoteip"] = client_address
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return ProviderRequest(address, headers, urlencode(said).encode())


def read_verification(answer: ProviderAnswer, credentials: Credentials) -> bool | None:
    """Is it a person's? None if the verifier did not say.

    Where it tells a score (reCAPTCHA v3), `least_score` of the credentials decides.
    """
    if answer.status != 200:
        return None
    try:
        said = read_json_object(answer.body)
    except UnparseableError:
        return None
    codes = said.get("error-codes")
    if isinstance(codes, list) and any(code in _OUR_FAULT for code in map(str, codes)):
        return None
    if said.get("success") is not True:
        return False if said.get("success") is False else None
    score = said.get("score")
    if isinstance(score, int | float):
        return score >= _least_score(credentials)
    return True


def describe_verifier(verifier: str, credentials: Credentials) -> dict[str, str]:
    """What a page needs to show the check. Raises MissingSecretError."""
    return {"verifier": verifier, "site_key": credentials.current("site_key")}


def _least_score(credentials: Credentials) -> float:
    said = credentials.values.get("least_score", 0.5)
    try:
        return float(said)
    except (TypeError, ValueError):
        raise MissingSecretError("human_check: least_score is a number from 0 to 1") from None
