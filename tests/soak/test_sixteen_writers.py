"""Sixteen writers over real HTTP for minutes, then an audit of every record that there is.

Asked for by `make soak` (MINUTES=…); it takes what it is told, and the time of the deployment.
"""

import os
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from caseweave.domain.case_links import LinkKind
from tests.audit import audit, find_double_cases, read_records
from tests.soak.traffic import AGENTS, CUSTOMERS, UNANSWERED, Log, Writer

MINUTES = float(os.environ.get("CASEWEAVE_SOAK_MINUTES", "2"))
SEED = int(os.environ.get("CASEWEAVE_SOAK_SEED", "1"))
WRITERS = 16
# Done, stale or refused; or not now, which acknowledges nothing. Never an error of ours (500).
EXPECTED = {200, 201, 412, 422, 429, 502, 503, 504, UNANSWERED}


# Every concurrent call needs a process of its own, and all cold at once none would start in time.
RAMP_SECONDS = float(os.environ.get("CASEWEAVE_SOAK_RAMP", "2"))


def run(writer, starts, until):
    time.sleep(max(0.0, starts - time.monotonic()))
    acted = 0
    while time.monotonic() < until:
        writer.act()
        acted += 1
    return acted


def wait_until_quiet(stack):
    """The records once nothing writes them any more."""
    previous, items = None, stack.items()
    while previous != items:
        time.sleep(4)
        previous, items = items, stack.items()
    return items


@pytest.mark.timeout(0)
def test_nothing_is_lost_doubled_or_broken(stack, agent):
    log = Log()
    writers = [
        Writer(stack.outside, agent.token, log, random.Random(f"{SEED}.{number}"))
        for number in range(WRITERS)
    ]

    for warm_up in (*CUSTOMERS, *CUSTOMERS, *AGENTS):
        getattr(writers[0], warm_up)()
    began = time.monotonic()
    until = began + WRITERS * RAMP_SECONDS + 60 * MINUTES
    with ThreadPoolExecutor(WRITERS) as pool:
        running = [
            pool.submit(run, writer, began + number * RAMP_SECONDS, until)
            for number, writer in enumerate(writers)
        ]
        acted = sum(one.result() for one in running)
    took = time.monotonic() - began
    items = wait_until_quiet(stack)
    records = read_records(items)
    broken = audit(items)

    report(log, records, acted, took)
    assert log.failures == []
    assert {status for _, status in log.answers} <= EXPECTED
    assert broken == []
    assert list(find_double_cases(records)) == []
    kept = Counter(
        word
        for message in records.messages
        if str(message.direction) == "inbound"
        for word in message.body.replace(",", " ").split()
        if word in log.words
    )
    assert {word: kept[word] for word in log.acknowledged} == dict.fromkeys(log.acknowledged, 1)
    assert max(kept.values()) == 1
    # It did meet what it was to meet.
    assert {status for _, status in log.answers} >= {200, 201, 412, 422}
    assert any(case.merged for case in records.cases.values())
    assert any(link.kind is LinkKind.SPLIT_FROM for link in records.links)


def report(log, records, acted, took):
    print(f"\nseed {SEED}: {acted} actions of {WRITERS} writers in {took:.0f} s")
    print(
        f"{len(log.acknowledged)} acknowledged messages, {len(records.ledger)} in the ledger,"
        f" {len(records.cases)} cases ({sum(c.is_active for c in records.cases.values())} open,"
        f" {sum(bool(c.merged_into) for c in records.cases.values())} merged),"
        f" {sum(map(len, records.events.values()))} events, {len(records.links)} links"
    )
    for what, seconds in sorted(log.seconds.items()):
        ordered = sorted(seconds)
        statuses = {code: n for (name, code), n in sorted(log.answers.items()) if name == what}
        median, slow = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
        print(f"  {what:<12} {median:6.3f} s median {slow:6.3f} s p95  {statuses}")
