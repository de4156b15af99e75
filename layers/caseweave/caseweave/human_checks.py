"""The human check of anonymous customers: asked of a verifier, closed unless it says yes."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from caseweave.channels.credentials import Credentials
from caseweave.channels.human_check import (
    NONE,
    build_verification,
    describe_verifier,
    read_verification,
)
from caseweave.channels.request import ProviderAnswer, ProviderRequest
from caseweave.domain.form_advice import advise, refuse

logger = logging.getLogger(__name__)

FIELD = "human_check"
_SECONDS = 4.0
# Theirs have at most some 2,000 characters.
_LONGEST_TOKEN = 8_000


@dataclass(frozen=True, slots=True)
class HumanCheck:
    """Which verifier, and whether customers pass while it cannot be reached.

    `base_url` stands in for the verifier, in tests.
    """

    verifier: str
    passes_unreachable: bool
    read_credentials: Callable[[], Credentials]
    base_url: str = ""

    @property
    def is_on(self) -> bool:
        return self.verifier != NONE

    def describe(self) -> dict[str, str]:
        """What a page needs to show the check, nothing where there is none.

        Raises MissingSecretError.
        """
        return describe_verifier(self.verifier, self.read_credentials()) if self.is_on else {}


def require_human(check: HumanCheck, token: str, client_address: str, language: str) -> None:
    """Raises InvalidRequestError for who is no person, MissingSecretError without credentials."""
    if not check.is_on:
        return
    credentials = check.read_credentials()
    if not 0 < len(token) <= _LONGEST_TOKEN:
        raise refuse(language, (FIELD, advise(FIELD, language)))
    request = build_verification(check.verifier, token, client_address, check.base_url, credentials)
    answer = _ask(request)
    is_human = read_verification(answer, credentials) if answer else None
    if is_human is None:
        logger.error("the human check by %s does not work", check.verifier)
        if not check.passes_unreachable:
            raise refuse(language, (FIELD, advise("human_check_down", language)))
    elif not is_human:
        raise refuse(language, (FIELD, advise(FIELD, language)))


def _ask(request: ProviderRequest) -> ProviderAnswer | None:
    import urllib3  # noqa: PLC0415 - only where a check is configured

    try:
        answer = urllib3.request(
            request.method,
            request.url,
            body=request.body,
            headers=dict(request.headers),
            timeout=_SECONDS,
            retries=False,
            redirect=False,
        )
    except urllib3.exceptions.HTTPError as error:
        logger.warning("the human check was not reached: %s", type(error).__name__)
        return None
    return ProviderAnswer(answer.status, answer.data)
