"""https://developer.vonage.com/en/api/numbers#getOwnedNumbers"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

from caseweave.channels.json_reading import objects_in, text_in
from caseweave.channels.request import ProviderAnswer, ProviderRequest
from caseweave.cli.doctor.checks.account import Account, read_object
from caseweave.cli.doctor.finding import Finding, compare_address, ok, problem, warning

API_URL = "https://rest.nexmo.com"


def build_questions(account: Account) -> dict[str, ProviderRequest]:
    key, secret = (account.credentials.current(one) for one in ("api_key", "api_secret"))
    basic = b64encode(f"{key}:{secret}".encode()).decode()
    query = urlencode({"pattern": _number(account), "search_pattern": "0"})
    url = f"{account.base_url}/account/numbers?{query}"
    return {"numbers": ProviderRequest(url, {"Authorization": f"Basic {basic}"}, method="GET")}


def read_answers(account: Account, answers: Mapping[str, ProviderAnswer]) -> Iterator[Finding]:
    answer, number = answers["numbers"], _number(account)
    said = read_object(answer)
    if answer.status != 200:
        yield problem(
            f"Vonage refuses api_key and api_secret ({answer.status}): copy both from API settings",
            f"Vonage 拒绝 api_key 与 api_secret（{answer.status}）：请从 API settings 复制",
        )
        return
    found = [one for one in objects_in(said, "numbers") if text_in(one, "msisdn") == number]
    if not found:
        yield warning(
            f"the account owns no number {number}: right only for a sender that has a name",
            f"该账号没有号码 {number}：仅当发件人为名称时正确",
        )
        return
    yield ok(f"the account owns {number}", f"该账号拥有 {number}")
    url, ours = text_in(found[0], "moHttpUrl"), account.address("vonage")
    if url:
        yield compare_address("the number's inbound webhook", url, ours)
    else:
        yield warning(
            f"the number has no inbound webhook of its own: the account's, or the application's, "
            f"has to be {ours}",
            f"该号码没有单独的入站 webhook：账号或应用的地址应为 {ours}",
        )


def _number(account: Account) -> str:
    return (account.text("from") or account.name).lstrip("+")
