"""Asking providers: real HTTP, and the credentials of an account, ready to be used."""

import logging
from datetime import datetime

import urllib3

from caseweave.access_tokens import drop_access_token, with_access_token
from caseweave.aws.secrets import read_credentials
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import ProviderAnswer, ProviderRequest, Refusal, Refused
from caseweave.channels.sender_registry import TOKEN_ISSUERS
from caseweave.errors import UnavailableError

logger = logging.getLogger(__name__)

_POOL = urllib3.PoolManager(timeout=urllib3.Timeout(connect=3, read=10), retries=False, maxsize=4)


def resolve_account(
    name: str, account: str, prefix: str, provider_api_url: str, now: datetime
) -> Credentials:
    """What holds for one account of a provider, with a good `access_token` where it hands out such.

    Raises MissingSecretError, UnavailableError: nothing was sent, and a later try may find it.
    """
    credentials = read_credentials(prefix, name).of_account(account)
    issuer = TOKEN_ISSUERS.get(name)
    if issuer is None:
        return credentials
    base_url = find_base_url(name, issuer.API_URL, provider_api_url)
    return with_access_token(credentials, base_url, issuer, ask, now)


def forget_token(name: str, credentials: Credentials, provider_api_url: str) -> None:
    """The provider refused the access token in *credentials*: the next try fetches another."""
    issuer = TOKEN_ISSUERS.get(name)
    if issuer is None:
        return
    try:
        drop_access_token(
            credentials, find_base_url(name, issuer.API_URL, provider_api_url), issuer
        )
    except UnavailableError:
        # Whoever is refused next forgets it.
        logger.warning("the access token of %s could not be forgotten", name)


def find_base_url(name: str, own: str, provider_api_url: str) -> str:
    """Where a provider is asked: *provider_api_url* stands in for all of them, each under its name,
    on the local cloud; empty, each is asked at its *own* address.
    """
    return f"{provider_api_url}/{name}" if provider_api_url else own


def ask(request: ProviderRequest) -> ProviderAnswer | Refused:
    """Never having reached the provider can be tried again; losing its answer cannot."""
    try:
        answer = _POOL.request(
            request.method, request.url, body=request.body or None, headers=dict(request.headers)
        )
    except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
        return Refused(Refusal.TRANSIENT, f"not reached: {type(error).__name__}")
    except urllib3.exceptions.HTTPError as error:
        return Refused(Refusal.UNKNOWN, f"no answer: {type(error).__name__}")
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return ProviderAnswer(answer.status, answer.data, headers)
