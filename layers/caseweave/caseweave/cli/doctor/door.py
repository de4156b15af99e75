"""Our own webhook, asked from outside: does it answer, and is it shut to who cannot sign?"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from caseweave.channels.credentials import Credentials
from caseweave.channels.request import ProviderAnswer, ProviderRequest, Refused
from caseweave.channels.setting_up import PATHS
from caseweave.cli.doctor.finding import Finding, ok, problem
from caseweave.cli.outside import qq, wechat

_JSON = {"Content-Type": "application/json"}
_ECHO = "1158201444"


@dataclass(frozen=True, slots=True)
class Greeting:
    """How a provider asks whether the address is ours, and what it wants to hear."""

    request: ProviderRequest
    expected: bytes


def knock(name: str, api_url: str) -> ProviderRequest:
    """A request that nobody signed."""
    return ProviderRequest(api_url + PATHS[name], _JSON, b'{"from": "doctor"}')


def read_knock(name: str, api_url: str, answer: ProviderAnswer | Refused) -> Finding:
    url = api_url + PATHS[name]
    if isinstance(answer, Refused):
        return problem(
            f"{url} cannot be reached ({answer.detail}): is the stack deployed?",
            f"无法访问 {url}（{answer.detail}）：系统是否已部署？",
        )
    if answer.status in (401, 403):
        return ok(f"{url} is shut to who cannot sign", f"{url} 拒绝未签名的请求")
    if answer.status < 300:
        return problem(
            f"{url} accepted a request without a signature: take it off the net and report it",
            f"{url} 接受了未签名的请求：请立即下线并报告",
        )
    if answer.status == 404:
        return problem(
            f"{url} is not known there: deploy this version", f"{url} 不存在：请部署当前版本"
        )
    return problem(
        f"{url} answers {answer.status}: the functions cannot read the parameter yet (they notice "
        "a change within five minutes), or it lacks a field",
        f"{url} 返回 {answer.status}：函数尚未读到参数（五分钟内生效），或参数缺少字段",
    )


def greet(name: str, api_url: str, credentials: Credentials) -> Greeting | None:
    """As the provider greets a new address; None for one that does not.

    Raises MissingSecretError.
    """
    write = _GREETINGS.get(name)
    return write(api_url + PATHS[name], credentials) if write else None


def read_greeting(greeting: Greeting, answer: ProviderAnswer | Refused) -> Finding:
    if isinstance(answer, ProviderAnswer) and answer.status == 200:
        if answer.body == greeting.expected:
            return ok("the provider's greeting is answered", "能正确应答平台的地址验证")
        return problem(
            "the provider's greeting is answered wrongly: do the functions have an older secret?",
            "对平台地址验证的应答有误：函数读到的是否为旧密钥？",
        )
    told = answer.detail if isinstance(answer, Refused) else str(answer.status)
    return problem(
        f"the provider's greeting is refused ({told}): the functions know another secret than the "
        "parameter has (they notice a change within five minutes)",
        f"平台的地址验证被拒绝（{told}）：函数的密钥与参数不同（五分钟内生效）",
    )


def _greet_meta(url: str, credentials: Credentials) -> Greeting:
    asked = {
        "hub.mode": "subscribe",
        "hub.verify_token": credentials.current("verify_token"),
        "hub.challenge": _ECHO,
    }
    return _get(url, asked, _ECHO)


def _greet_wechat(url: str, credentials: Credentials) -> Greeting:
    at, nonce = str(int(time.time())), "doctor"
    signature = wechat.sign(credentials.current("token"), at, nonce)
    return _get(
        url, {"signature": signature, "timestamp": at, "nonce": nonce, "echostr": _ECHO}, _ECHO
    )


def _greet_wecom(url: str, credentials: Credentials) -> Greeting:
    account = {name: credentials.current(name) for name in ("token", "encoding_aes_key", "corp_id")}
    sealed = wechat.seal(_ECHO, account["encoding_aes_key"], account["corp_id"])
    return _get(url, {**wechat.wecom_proof(account, sealed), "echostr": sealed}, _ECHO)


def _greet_qq(url: str, credentials: Credentials) -> Greeting:
    at = str(int(time.time()))
    body = json.dumps({"op": 13, "d": {"plain_token": _ECHO, "event_ts": at}}).encode()
    signature = qq.sign(credentials.current("app_secret"), at, _ECHO.encode())
    expected = json.dumps({"plain_token": _ECHO, "signature": signature}).encode()
    headers = {**_JSON, "X-Bot-Appid": credentials.current("app_id")}
    return Greeting(ProviderRequest(url, headers, body), expected)


def _get(url: str, asked: Mapping[str, str], echo: str) -> Greeting:
    return Greeting(ProviderRequest(f"{url}?{urlencode(asked)}", {}, method="GET"), echo.encode())


_GREETINGS: Mapping[str, Callable[[str, Credentials], Greeting]] = {
    "meta": _greet_meta,
    "qq": _greet_qq,
    "wechat": _greet_wechat,
    "wecom": _greet_wecom,
    "whatsapp": _greet_meta,
}
