"""What the contract knows of a provider: how it signs, and one delivery of each kind it has."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import ModuleType
from urllib.parse import parse_qsl, urlencode

from caseweave.channels.credentials import Credentials
from caseweave.channels.protocols import verify_time
from caseweave.channels.request import WebhookRequest
from tests.channels.samples import NOON

# What a provider may send, beside a message.
KINDS = ("message", "batch", "media", "receipt", "edit", "echo")
# Which checks of a signature may not apply, each with its reason where it does not.
CHECKS = ("body", "time", "rotation", "owner")


@dataclass(frozen=True)
class Proof:
    """Where a request carries what proves it."""

    read: Callable[[WebhookRequest], str]
    write: Callable[[WebhookRequest, str | None], WebhookRequest]


def in_header(name):
    def write(request, value):
        others = {one: said for one, said in request.headers.items() if one != name}
        return replace(request, headers=others if value is None else {**others, name: value})

    return Proof(lambda request: request.headers[name], write)


def in_query(name):
    def write(request, value):
        told = ((one, value if one == name else said) for one, said in request.query)
        return replace(request, query=tuple(pair for pair in told if pair[1] is not None))

    return Proof(lambda request: dict(request.query)[name], write)


def in_form(name):
    def write(request, value):
        told = [
            (one, value if one == name else said) for one, said in parse_qsl(request.body.decode())
        ]
        body = urlencode([pair for pair in told if pair[1] is not None], errors="replace")
        return replace(request, body=body.encode())

    return Proof(lambda request: dict(parse_qsl(request.body.decode()))[name], write)


def in_json(name):
    def write(request, value):
        said = json.loads(request.body) | {name: value}
        if value is None:
            del said[name]
        return replace(request, body=json.dumps(said).encode())

    return Proof(lambda request: json.loads(request.body)[name], write)


def verify_and_date(specimen, request, credentials, now):
    """The door of the webhooks: a genuine signature, that is not too old."""
    specimen.adapter.verify(request, credentials)
    verify_time(specimen.adapter, request, now)


def whole_body(request):
    return [request.body]


@dataclass(frozen=True)
class Specimen:
    """One door of one provider.

    `account(**values)` are credentials; `sign(request, secret)` is a bare request as the provider
    would send it whose secret that is, `store(secret)` what we keep of the secret. `covered` is
    what of a body is signed. `deliveries` are bare requests by kind; what is in none of them, and
    every check that does not apply, is in `lacks` with its reason. `aged(request, age)` was signed
    that long before `now()`, and `oldest` is what still gets in.
    """

    name: str
    adapter: ModuleType
    secret: str
    account: Callable[..., Credentials]
    sign: Callable[[WebhookRequest, str], WebhookRequest]
    proof: Proof
    deliveries: Mapping[str, WebhookRequest]
    lacks: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    store: Callable[[str], object] = lambda secret: secret
    covered: Callable[[WebhookRequest], list[bytes]] = whole_body
    aged: Callable[[WebhookRequest, timedelta], WebhookRequest] | None = None
    oldest: timedelta = timedelta(0)
    now: Callable[[], datetime] = lambda: NOON
    admit: Callable[["Specimen", WebhookRequest, Credentials, datetime], None] = verify_and_date
    # Where in the JSON of a batch its events are listed; None where there are no batches.
    listed_at: tuple[str | int, ...] | None = None
    # Where an account has its own secret, the id under which a request names it.
    owner: str = ""

    def holding(self, secrets, **values):
        """Credentials in which these secrets are live."""
        stored = [self.store(secret) for secret in secrets]
        return self.account(**{self.secret: stored, **values})

    def signed(self, kind="message", secret="new"):
        return self.sign(self.deliveries[kind], secret)

    def events_of_batch(self):
        """Each event of the batch."""
        found = json.loads(self.deliveries["batch"].body)
        for step in self.listed_at:
            found = found[step]
        return found

    def batch_of(self, events):
        """A bare batch of these events, otherwise as the specimen."""
        whole = json.loads(self.deliveries["batch"].body)
        holder, last = whole, None
        for step in self.listed_at:
            holder, last = (holder if last is None else holder[last]), step
        if last is None:
            whole = list(events)
        else:
            holder[last] = list(events)
        return replace(self.deliveries["batch"], body=json.dumps(whole).encode())

    def parse(self, request):
        return self.adapter.parse(request, self.holding(["new", "old"]))
