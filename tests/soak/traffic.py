"""What customers, providers and agents do in the long run, at random, each over real HTTP."""

import random
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Lock
from typing import Any

import urllib3

from caseweave.cli.outside.customers import Outside
from caseweave.cli.outside.http import Reply, call_json

EXCERPT = "my account was hacked"
# No answer within the client's patience: it may have been taken in, or not.
UNANSWERED = 0
# Users of the sample platform with a proven phone number: web, chat and SMS are one customer.
USERS = {"u-1001": "+8613800138000", "u-2001": "+8613800138021"}
PHONES = ("+8613500000001", "+8613500000002")
TELEGRAMS = (770_001, 770_002)


@dataclass
class Log:
    """What was asked and answered, by all writers."""

    lock: Lock = field(default_factory=Lock)
    # Every message has a word that no other one has.
    words: set[str] = field(default_factory=set)
    acknowledged: dict[str, str] = field(default_factory=dict)
    # What was sent and may be sent again: word → how.
    repeatable: dict[str, Callable[[], Reply]] = field(default_factory=dict)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failures: list[str] = field(default_factory=list)
    cases: list[str] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)

    def ask(self, what: str, send: Callable[[], Reply]) -> Reply:
        began = time.monotonic()
        try:
            reply = send()
        except urllib3.exceptions.HTTPError:
            reply = Reply(UNANSWERED, {}, b"")
        with self.lock:
            self.answers[what, reply.status] += 1
            self.seconds[what].append(time.monotonic() - began)
            if reply.status == HTTPStatus.INTERNAL_SERVER_ERROR:
                self.failures.append(f"{what}: {reply.body[:200]!r}")
        return reply

    def pick(self, draws: random.Random, known: list[str]) -> str | None:
        with self.lock:
            return draws.choice(known) if known else None


@dataclass
class Writer:
    """One of the writers, with dice of its own."""

    outside: Outside
    token: str
    log: Log
    draws: random.Random

    def act(self) -> None:
        names, weights = zip(*_WEIGHTS.items(), strict=True)
        (name,) = self.draws.choices(names, weights)
        getattr(self, name)()

    # Customers and their providers.

    def write_sms(self) -> None:
        phone = self.draws.choice((*USERS.values(), *PHONES))
        sid = f"SM{uuid.uuid4().hex}"
        self._send("sms", lambda body: self.outside.send_sms(phone, body, sid=sid))

    def write_telegram(self) -> None:
        user = {"id": self.draws.choice(TELEGRAMS), "first_name": "T"}
        update = uuid.uuid4().int % 10**9
        self._send("telegram", lambda body: self.outside.send_telegram(user, body, update))

    def fill_form(self) -> None:
        token = self.outside.sign_in(self.draws.choice(list(USERS)))
        key = uuid.uuid4().hex
        self._send(
            "form", lambda body: self.outside.send_form("contact", {"message": body}, token, key)
        )

    def chat(self) -> None:
        session = self.log.pick(self.draws, self.log.sessions)
        if session is None or self.draws.random() < 0.1:
            token = self.outside.sign_in(self.draws.choice(list(USERS)))
            self._send("chat", lambda body: self.outside.start_chat(body, token), once=True)
        else:
            self._send("chat", lambda body: self.outside.send_chat(session, body), once=True)
            self.log.ask("page", lambda: self.outside.read_answers(session))

    def deliver_again(self) -> None:
        with self.log.lock:
            sent = list(self.log.repeatable.values())
        if sent:
            self.log.ask("redelivery", self.draws.choice(sent))

    def _send(self, what: str, send: Callable[[str], Reply], *, once: bool = False) -> None:
        word = uuid.uuid4().hex
        body = f"充值没到账 {word}, {EXCERPT}"
        reply = self.log.ask(what, lambda: send(body))
        with self.log.lock:
            self.log.words.add(word)
            if not once:
                # Acknowledged or not, a provider may deliver it again.
                self.log.repeatable[word] = lambda: send(body)
        if reply.status not in (HTTPStatus.OK, HTTPStatus.CREATED):
            return
        told = reply.json() if reply.body[:1] == b"{" else {}
        with self.log.lock:
            self.log.acknowledged[word] = what
            if "session" in told:
                self.log.sessions.append(told["session"])
            if "reference" in told:
                self.log.cases.append(told["reference"])

    # Agents.

    def read(self) -> None:
        case = self._pick_case()
        if case:
            self._call("GET", case, "")

    def reply(self) -> None:
        self._write("messages", {"body": "We look into it."})

    def note(self) -> None:
        self._write("notes", {"body": f"noted {uuid.uuid4().hex}"})

    def assign(self) -> None:
        self._write("assign", {"agent": f"agent-{self.draws.randrange(4)}"})

    def change_state(self) -> None:
        states = ("open", "pending", "resolved", "closed")
        self._write("state", {"state": self.draws.choices(states, (4, 4, 1, 1))[0]})

    def merge(self) -> None:
        other = self._pick_case()
        if other:
            self._write("merge", {"into": other, "reason": "one matter"})

    def unmerge(self) -> None:
        self._write("unmerge", {"reason": "two matters"})

    def split(self) -> None:
        case = self._pick_case()
        inbound = self._inbound(case)
        if inbound:
            one = self.draws.choice(inbound)
            self._note_new(self._write("split", {"message": one, "excerpt": EXCERPT}, case))

    def move(self) -> None:
        case = self._pick_case()
        inbound = self._inbound(case)
        if len(inbound) > 1:
            some = self.draws.sample(inbound, self.draws.randint(1, min(5, len(inbound) - 1)))
            self._note_new(self._write("split", {"messages": some}, case))

    def link(self) -> None:
        other = self._pick_case()
        if other:
            kind = self.draws.choice(("parent", "child", "duplicate", "caused-by", "follows"))
            said = {"case": other, "kind": kind, "remove": self.draws.random() < 0.3}
            self._write("links", said)

    def be_present(self) -> None:
        case = self._pick_case()
        if case:
            self._call("PUT", case, "presence", {"doing": self.draws.choice(("viewing", "typing"))})

    def _inbound(self, case: str | None) -> list[str]:
        reply = self._call("GET", case, "") if case else None
        messages = reply.json()["messages"] if reply and reply.status == 200 else []
        return [one["id"] for one in messages if one["direction"] == "inbound"]

    def _write(self, action: str, said: Mapping[str, Any], case: str | None = None) -> Reply | None:
        """With the version that was just read, with an old one, or with none."""
        case = case or self._pick_case()
        if case is None:
            return None
        match: dict[str, str] = {}
        kind = self.draws.random()
        if kind < 0.4:
            shown = self._call("GET", case, "")
            if shown.status == 200:
                version = shown.json()["case"]["version"] - (kind < 0.1)
                match = {"If-Match": f'"{version}"'}
        return self._call("POST", case, action, said, match)

    def _note_new(self, reply: Reply | None) -> None:
        if reply is not None and reply.status == 201:
            with self.log.lock:
                self.log.cases.append(reply.json()["new"]["ref"])

    def _pick_case(self) -> str | None:
        return self.log.pick(self.draws, self.log.cases)

    def _call(
        self,
        method: str,
        case: str,
        action: str,
        said: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        url = f"{self.outside.outputs['ApiUrl']}/v1/cases/{case}{'/' if action else ''}{action}"
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        return self.log.ask(action or "read", lambda: call_json(method, url, said, sent))


CUSTOMERS = {
    "write_sms": 14,
    "write_telegram": 6,
    "fill_form": 4,
    "chat": 8,
    "deliver_again": 10,
}
AGENTS = {
    "read": 6,
    "reply": 8,
    "note": 10,
    "assign": 6,
    "change_state": 6,
    "split": 6,
    "move": 5,
    "merge": 8,
    "unmerge": 5,
    "link": 8,
    "be_present": 6,
}
_WEIGHTS = CUSTOMERS | AGENTS
