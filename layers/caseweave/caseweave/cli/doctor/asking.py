"""Asking a provider, or our own webhook, over HTTP."""

import urllib3

from caseweave.channels.request import ProviderAnswer, ProviderRequest, Refusal, Refused
from caseweave.cli.local_stack.errors import LocalStackError
from caseweave.cli.outside.http import call


def ask(request: ProviderRequest) -> ProviderAnswer | Refused:
    """A function that starts cold may take its time."""
    try:
        reply = call(request.method, request.url, request.body or None, request.headers)
    except (LocalStackError, urllib3.exceptions.HTTPError) as error:
        return Refused(Refusal.UNKNOWN, type(error.__cause__ or error).__name__)
    headers = {name.lower(): value for name, value in reply.headers.items()}
    return ProviderAnswer(reply.status, reply.body, headers)
