"""One provider, from its parameter to what the provider says of us."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from caseweave.channels.credentials import Credentials
from caseweave.channels.request import ProviderAnswer, ProviderRequest, Refused
from caseweave.channels.setting_up import FIELDS, PATHS, Use
from caseweave.cli.doctor.aws_account import ask_ses, ask_sns
from caseweave.cli.doctor.checks import BY_HAND, CHECKS
from caseweave.cli.doctor.checks.account import Account
from caseweave.cli.doctor.door import greet, knock, read_greeting, read_knock
from caseweave.cli.doctor.finding import Finding, Level, ok, problem, warning
from caseweave.cli.doctor.parameter import check_parameter, read_parameter
from caseweave.cli.place import Place
from caseweave.errors import InvalidConfigError, MissingSecretError
from caseweave.provider_api import find_base_url

Ask = Callable[[ProviderRequest], ProviderAnswer | Refused]

NAMES = ("keys", "web", "ses", "connect", *PATHS)
# Whose parameter it is, where it has another name.
_PARAMETERS = {"voice": "twilio", "web": "human_check"}
_KEY = re.compile(r"[0-9a-fA-F]{64}")


def is_set_up(name: str, place: Place) -> bool:
    """Has anybody begun with it? The channels without a parameter are always there."""
    if name in ("keys", "web", "ses", "connect"):
        return True
    return place.read_parameter(f"providers/{_PARAMETERS.get(name, name)}") is not None


def examine(name: str, place: Place, ask: Ask) -> list[Finding]:
    """Everything that can be found out about one of NAMES, each finding once."""
    special = {"keys": _examine_keys, "web": _examine_web, "ses": _examine_ses}
    if name in special:
        found = special[name](place, ask)
    elif name == "connect":
        found = iter([BY_HAND[name]])
    else:
        found = _examine_provider(name, place, ask)
    return list(dict.fromkeys(found))


def _examine_keys(place: Place, _ask: Ask) -> Iterator[Finding]:
    """Our own signing keys, without which no door opens."""
    try:
        values = read_parameter("keys", place.read_parameter("keys") or "{}")
    except InvalidConfigError as error:
        yield problem(f"{place.prefix}/keys: {error}", f"{place.prefix}/keys：{error}")
        return
    keys = values.get("signing")
    listed = keys if isinstance(keys, list) else [keys]
    if all(isinstance(key, str) and _KEY.fullmatch(key) for key in listed):
        yield ok("the signing keys are there", "签名密钥已配置")
        return
    yield problem(
        f'{place.prefix}/keys has to be {{"signing": ["<64 hexadecimal digits>"]}}: make one with '
        "openssl rand -hex 32",
        f'{place.prefix}/keys 应为 {{"signing": ["<64 位十六进制>"]}}：可用 openssl rand -hex 32',
    )


def _examine_web(place: Place, ask: Ask) -> Iterator[Finding]:
    answer = ask(ProviderRequest(f"{place.api_url}/intake/web/forms", {}, method="GET"))
    if isinstance(answer, ProviderAnswer) and answer.status == 200:
        yield ok("the forms are served", "表单可访问")
    else:
        told = answer.detail if isinstance(answer, Refused) else str(answer.status)
        yield problem(f"the forms are not served ({told})", f"表单无法访问（{told}）")
    text = place.read_parameter("providers/human_check")
    if text is not None or place.settings.get("HumanCheck", "none") != "none":
        yield from _check_values("human_check", text, place)
    if not place.is_local and not place.settings.get("WebOrigins"):
        yield warning(
            "WebOrigins is empty: pages of your site cannot read answers or upload files",
            "WebOrigins 为空：您的网站页面无法读取回复或上传文件",
        )


def _examine_ses(place: Place, _ask: Ask) -> Iterator[Finding]:
    yield from _ask_aws(place, lambda: list(ask_ses(place)))


def _examine_provider(name: str, place: Place, ask: Ask) -> Iterator[Finding]:
    parameter = _PARAMETERS.get(name, name)
    text = place.read_parameter(f"providers/{parameter}")
    checked = list(_check_values(parameter, text, place))
    if name == "voice":
        checked += _miss_voice_url(text)
    yield from checked
    yield read_knock(name, place.api_url, ask(knock(name, place.api_url)))
    if text is None or any(one.level is Level.PROBLEM for one in checked):
        return  # the rest would only repeat what is wrong
    credentials = Credentials(parameter, read_parameter(parameter, text))
    greeting = greet(name, place.api_url, credentials_of(credentials)[0][1])
    if greeting:
        yield read_greeting(greeting, ask(greeting.request))
    if name in BY_HAND:
        yield BY_HAND[name]
    elif name == "aws":
        topics = credentials.live("topic_arns")
        yield from _ask_aws(place, lambda: list(ask_sns(place, topics)))
    else:
        for account, own in credentials_of(credentials):
            yield from _ask_provider(parameter, account, own, place, ask)


def credentials_of(credentials: Credentials) -> list[tuple[str, Credentials]]:
    """Each account by its name; the only one is nameless, and so is what is whole without them."""
    accounts = credentials.values.get("accounts")
    found = [(name, credentials.of_account(name)) for name in accounts or ()]
    needed = [field for field in FIELDS[credentials.provider] if field.use is not Use.OPTIONAL]
    if not found or all(credentials.values.get(field.name) for field in needed):
        found.insert(0, ("", credentials))
    return found


def _check_values(parameter: str, text: str | None, place: Place) -> Iterator[Finding]:
    full = f"{place.prefix}/providers/{parameter}"
    try:
        values = read_parameter(parameter, text)
    except InvalidConfigError as error:
        yield problem(f"{full}: {error}", f"{full}：{error}")
        return
    yield from check_parameter(parameter, values, place.api_url)


def _miss_voice_url(text: str | None) -> list[Finding]:
    if text is None or '"voice_url"' in text:
        return []
    return [
        problem("voice_url is missing: calls cannot be received", "缺少 voice_url：无法接听电话")
    ]


def _ask_provider(
    name: str, account: str, credentials: Credentials, place: Place, ask: Ask
) -> Iterator[Finding]:
    check = CHECKS[name]
    base_url = find_base_url(name, check.API_URL, place.provider_api_url)
    one = Account(account, credentials, base_url, place.api_url)
    try:
        questions = check.build_questions(one)
    except MissingSecretError as error:
        yield warning(f"the provider cannot be asked: {error}", f"无法询问平台：{error}")
        return
    answers: dict[str, ProviderAnswer] = {}
    for question, request in questions.items():
        answer = ask(request)
        if isinstance(answer, Refused):
            yield problem(
                f"{base_url} cannot be reached from here ({answer.detail})",
                f"无法从本机访问 {base_url}（{answer.detail}）",
            )
            return
        answers[question] = answer
    yield from check.read_answers(one, answers)


def _ask_aws(place: Place, ask: Callable[[], list[Finding]]) -> list[Finding]:
    if place.is_local:
        return [
            warning(
                "SES and SNS are played on the local stack: there is no account to ask",
                "本地环境中的 SES 与 SNS 为模拟：没有可查询的账号",
            )
        ]
    try:
        return ask()
    except (ClientError, BotoCoreError) as error:
        return [problem(f"AWS does not tell: {error}", f"无法查询 AWS：{error}")]


def summary(findings: Mapping[str, list[Finding]]) -> dict[str, list[dict[str, Any]]]:
    """As `--json` prints it."""
    return {
        name: [{"level": one.level, "en": one.en, "zh-CN": one.zh} for one in found]
        for name, found in findings.items()
    }
