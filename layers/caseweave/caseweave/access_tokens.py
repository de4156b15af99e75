"""Access tokens that providers hand out for some hours: kept for all, refreshed by one.

Near its end a token is refreshed by whoever gets the lock, while the others go on with it. The lock
runs out by itself: a holder that died, or that the provider refused, costs the time until then.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

from caseweave.channels.credentials import Credentials
from caseweave.channels.protocols import TokenIssuer
from caseweave.channels.request import AccessToken, ProviderAnswer, ProviderRequest, Refused
from caseweave.errors import UnavailableError
from caseweave.storage.access_tokens import KeptToken, read_token, write_token

# Longer than a provider may take to answer (provider_api.py), shorter than a queue's patience.
LOCK_LIFETIME = timedelta(seconds=20)
# Clocks differ and requests take their time: so long before its end a token is not used any more,
_LEEWAY = timedelta(minutes=1)
# and so long before that somebody fetches the next one. Both shrink with a short life.
_MARGIN = timedelta(minutes=10)
# What claims to be good for longer is asked for again anyway.
_LONGEST_LIFETIME = timedelta(days=1)

Ask = Callable[[ProviderRequest], ProviderAnswer | Refused]


def with_access_token(
    credentials: Credentials, base_url: str, issuer: TokenIssuer, ask: Ask, now: datetime
) -> Credentials:
    """The credentials with a good `access_token`, from the store or from *issuer* by way of *ask*.

    Raises MissingSecretError; UnavailableError where there is none now and a later try may find
    one.
    """
    request = issuer.build_token_request(base_url, credentials)
    kept = read_token(credentials.provider, name_token(request))
    reason = "another function is fetching the token"
    if not kept.is_fresh(now) and not kept.is_locked(now):
        held = write_token(replace(kept, locked_until=now + LOCK_LIFETIME))
        if held is None:
            # Whoever was faster may have the next one by now.
            kept = read_token(kept.provider, kept.name)
        else:
            fetched = _fetch(issuer, request, ask)
            if isinstance(fetched, AccessToken):
                write_token(_renew(held, fetched, now))
                return credentials.having("access_token", fetched.value)
            reason = fetched.detail
    if not kept.is_good(now):
        raise UnavailableError(f"{credentials.provider} has no access token: {reason}")
    return credentials.having("access_token", kept.token)


def drop_access_token(credentials: Credentials, base_url: str, issuer: TokenIssuer) -> None:
    """The provider refused the token in *credentials* before its time: the next try fetches one.

    A newer one that is kept meanwhile stays. Raises UnavailableError.
    """
    request = issuer.build_token_request(base_url, credentials)
    kept = read_token(credentials.provider, name_token(request))
    if kept.token and kept.token == credentials.current("access_token"):
        write_token(replace(kept, token="", good_until=None, refresh_from=None))


def name_token(request: ProviderRequest) -> str:
    """What a token is kept under: one for each pair of id and secret, whatever accounts share it.

    A new secret leads to a new token at once, and nobody can read the secret from the name.
    """
    asked = f"{request.method} {request.url}\n{sorted(request.headers.items())}\n".encode()
    return sha256(asked + request.body).hexdigest()


def _fetch(issuer: TokenIssuer, request: ProviderRequest, ask: Ask) -> AccessToken | Refused:
    answer = ask(request)
    return issuer.read_token(answer) if isinstance(answer, ProviderAnswer) else answer


def _renew(held: KeptToken, fetched: AccessToken, asked_at: datetime) -> KeptToken:
    lifetime = max(timedelta(0), min(fetched.lifetime, _LONGEST_LIFETIME))
    good_until = asked_at + lifetime - min(_LEEWAY, lifetime / 10)
    return replace(
        held,
        token=fetched.value,
        good_until=good_until,
        refresh_from=good_until - min(_MARGIN, lifetime / 4),
        locked_until=None,
    )
