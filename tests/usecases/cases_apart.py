"""Cases of one customer, and what agents do with them, in a few words."""

import os
from datetime import timedelta

from caseweave.agents.caller import Caller, Moment
from caseweave.agents.relations import merge, split
from caseweave.domain.message import Direction
from caseweave.storage import cases
from tests.usecases.test_router import route
from tests.usecases.world import NOON, receive, sms

MEI = Caller("mei", ("agent",))
NUMBER = "+8613800138000"
BOTH = "充值没到账 T202611230001, and my account was hacked"
EXCERPT = "my account was hacked"


class Time:
    """Each moment is a second after the last."""

    def __init__(self):
        # After the acknowledgement.
        self.count = 10

    def __call__(self, minutes=0):
        self.count += 1
        return Moment(NOON + timedelta(minutes=minutes, seconds=self.count), os.urandom)


def open_case(door, desk, number=NUMBER, event="SM1"):
    """A customer's routed case, whose one message holds two problems."""
    landed = receive(sms(number, BOTH, event), door)
    route(landed, desk)
    return cases.read_head(landed.case_id)


def first_message(case):
    return next(m for m in cases.list_messages(case.id)[0] if m.direction is Direction.INBOUND)


def split_off(case, desk, moment, **more):
    said = {"message": first_message(case).id, "excerpt": EXCERPT, **more}
    shown = split(case.id, said, None, MEI, desk, moment)
    return cases.read_head(shown["new"]["id"])


def merge_into(source, target, desk, moment, reason="the same order", version=None):
    return merge(source.id, {"into": target.ref, "reason": reason}, version, MEI, desk, moment)


def write_more(case, door, count=1, **more):
    """More messages of the customer in the case: what each landed as."""
    return [
        receive(
            sms(NUMBER, f"message {n}", f"SM-more-{n}", session_case_id=case.id, **more),
            door,
            NOON + timedelta(minutes=2, seconds=n),
        )
        for n in range(count)
    ]


def move(case, landed, desk, moment, **more):
    said = {"messages": [one.message_id for one in landed], **more}
    shown = split(case.id, said, None, MEI, desk, moment)
    return cases.read_head(shown["new"]["id"])
