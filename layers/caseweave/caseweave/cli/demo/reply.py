"""Act 3: an agent takes the case and answers."""

from http import HTTPStatus
from itertools import islice

from rich.padding import Padding

from caseweave.cli.case_table import render_list
from caseweave.cli.demo.arrival import Opened, wait_settled
from caseweave.cli.demo.customer import EMAIL
from caseweave.cli.demo.stage import Stage, require, require_status

AGENT = "zhou.min@caseweave.local"
REPLY = (
    "小雨您好,我是客服周敏。已核实您的付款成功,游戏渠道正在补发 6480 星晶,预计 15 分钟内到账。"
    "到账后我会再给您确认,感谢您的耐心等待。"
)
SHOWN = 6


def play_reply(stage: Stage, hers: Opened) -> None:
    stage.act(3, "agent_act")
    team = stage.agent.read_case(hers.ref)["case"]["team"]
    with stage.step("worklist", team=team):
        worklist = list(stage.agent.list_cases(team=team, limit="200"))
    require(hers.ref in [case["ref"] for case in worklist], f"{hers.ref} in the worklist")
    shown = list(islice(worklist, SHOWN))
    stage.console.print(Padding(render_list(shown, stage.language), (0, 0, 0, 2)))
    with stage.step("assigned", agent=AGENT, ref=hers.ref):
        case = stage.agent.act(hers.ref, "assign", {"agent": AGENT})["case"]
    require(case["assignee"] == AGENT, f"{hers.ref} with {AGENT}", case["assignee"])
    _answer(stage, hers, case["version"])


def _answer(stage: Stage, hers: Opened, version: int) -> None:
    with stage.step("replied", version=version):
        stage.agent.act(hers.ref, "messages", {"body": REPLY}, version)
        received = stage.wait_received(EMAIL, REPLY[:20])
    stage.tell_received(received)
    file = wait_settled(stage, hers.ref, 5)
    with stage.step("stale", version=version):
        reply = stage.agent.try_act(hers.ref, "messages", {"body": REPLY}, version)
        require_status(reply, HTTPStatus.PRECONDITION_FAILED)
    after = stage.agent.read_case(hers.ref)
    require(len(after["messages"]) == len(file["messages"]), "no second reply")
    require(after["case"]["state"] == "open", "the case open", after["case"]["state"])
