"""What the use cases of the web channel share: the desk's side, and the client in front of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from caseweave.channels import web_form
from caseweave.channels.request import WebhookRequest
from caseweave.domain.forms import Form
from caseweave.domain.language import prefer_language
from caseweave.domain.web_rules import Limit, WebRules, name_client
from caseweave.errors import InvalidSignatureError, NotFoundError, UnparseableError
from caseweave.human_checks import HumanCheck
from caseweave.intake import Door
from caseweave.storage.rate import count_visit

if TYPE_CHECKING:
    from caseweave.verifications import Codes


@dataclass(frozen=True, slots=True)
class WebDesk:
    """Forms and rules are read when first needed: a poll for messages needs neither.

    `trusted_proxies` is how many proxies of the business's own stand before the gateway.
    """

    door: Door
    retention: timedelta
    verify_token: Callable[[str], Mapping[str, Any]]
    read_forms: Callable[[], Mapping[str, Form]]
    read_rules: Callable[[], WebRules]
    human_check: HumanCheck
    files_bucket: str
    make_codes: Callable[[], "Codes"]
    trusted_proxies: int = 0

    def form(self, name: str) -> Form:
        """Raises NotFoundError, which names the forms that there are."""
        forms = self.read_forms()
        if name not in forms:
            raise NotFoundError(f"There is no such form. The forms are: {', '.join(forms)}.")
        return forms[name]


@dataclass(frozen=True, slots=True)
class Client:
    """Who is at the page: `user` is the id of a signed-in customer, "" for an anonymous one."""

    address: str
    language: str
    claims: Mapping[str, Any]
    user: str = ""

    @property
    def owner(self) -> str:
        """Whose the uploads of this client are."""
        return f"user:{self.user}" if self.user else ""


def meet_client(request: WebhookRequest, desk: WebDesk) -> Client:
    """Raises InvalidSignatureError for a sign-in that does not hold, and UnavailableError."""
    token = web_form.bearer_token(request)
    claims = desk.verify_token(token) if token else {}
    return Client(
        address=_find_address(request, desk.trusted_proxies),
        language=choose_page_language(request),
        claims=claims,
        user=_read_user(claims) if claims else "",
    )


def choose_page_language(request: WebhookRequest) -> str:
    """By `?lang=`, then by what the browser prefers."""
    asked = dict(request.query).get("lang", "")
    return prefer_language(asked or request.headers.get("accept-language", ""))


def count_client(
    desk: WebDesk, client: Client, scope: str, anonymous: Limit, signed_in: Limit, now: datetime
) -> None:
    """Raises TooManyRequestsError."""
    if client.user:
        count_visit(scope, f"user.{client.user}", signed_in, now)
    else:
        name = name_client(client.address, desk.door.signing_keys[0])
        count_visit(scope, name, anonymous, now)


def _find_address(request: WebhookRequest, trusted_proxies: int) -> str:
    """What the gateway saw; behind proxies of our own, what the outermost of them saw.

    Every hop appends who it heard from, so only that many entries at the end are true.
    """
    hops = [hop.strip() for hop in request.headers.get("x-forwarded-for", "").split(",")]
    if trusted_proxies and len(hops) > trusted_proxies:
        return hops[-1 - trusted_proxies]
    return request.client_address


def _read_user(claims: Mapping[str, Any]) -> str:
    try:
        return web_form.read_sender(claims).proven[0].address.value
    except UnparseableError as error:
        raise InvalidSignatureError(str(error)) from error
