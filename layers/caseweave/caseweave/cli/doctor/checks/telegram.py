"""https://core.telegram.org/bots/api#getwebhookinfo · https://core.telegram.org/bots/api#getme"""

from collections.abc import Iterator, Mapping
from typing import Any

from caseweave.channels.json_reading import object_in, text_in
from caseweave.channels.request import ProviderAnswer, ProviderRequest
from caseweave.channels.telegram_sending import API_URL
from caseweave.cli.doctor.checks.account import Account, read_object, texts_in
from caseweave.cli.doctor.finding import Finding, compare_address, ok, problem, warning

__all__ = ["API_URL", "build_questions", "read_answers"]

_NEEDED = ("message", "edited_message", "callback_query")
# Telegram leaves these out unless they are asked for.
_ON_REQUEST = ("message_reaction",)
_MANY_PENDING = 20


def build_questions(account: Account) -> dict[str, ProviderRequest]:
    url = f"{account.base_url}/bot{account.credentials.current('bot_token')}"
    return {
        name: ProviderRequest(f"{url}/{method}", {}, method="GET")
        for name, method in (("bot", "getMe"), ("webhook", "getWebhookInfo"))
    }


def read_answers(account: Account, answers: Mapping[str, ProviderAnswer]) -> Iterator[Finding]:
    said = {name: read_object(answer) for name, answer in answers.items()}
    refused = [one for one in said.values() if one.get("ok") is not True]
    if refused:
        told = text_in(refused[0], "description")
        yield problem(
            f"Telegram refuses the bot_token ({told}): take the one that @BotFather shows",
            f"Telegram 拒绝 bot_token（{told}）：请使用 @BotFather 给出的 token",
        )
        return
    yield from _read_bot(account, object_in(said["bot"], "result"))
    yield from _read_webhook(account, object_in(said["webhook"], "result"))


def _read_bot(account: Account, bot: Mapping[str, Any]) -> Iterator[Finding]:
    bot_id, name = text_in(bot, "id"), text_in(bot, "username")
    known = account.text("bot_id") or account.name
    if known == bot_id:
        yield ok(f"the bot_token is that of @{name}", f"bot_token 属于 @{name}")
    else:
        yield problem(
            f"the bot_token is that of bot {bot_id}: change bot_id from {known}",
            f"bot_token 属于机器人 {bot_id}：请修改 bot_id（现为 {known}）",
        )
    if account.text("bot_username") not in ("", name):
        yield problem(
            f"bot_username has to be {name}: links in acknowledgements lead to it",
            f"bot_username 应为 {name}：回执中的链接指向它",
        )


def _read_webhook(account: Account, webhook: Mapping[str, Any]) -> Iterator[Finding]:
    yield compare_address(
        "Telegram's webhook", text_in(webhook, "url"), account.address("telegram")
    )
    allowed = texts_in(webhook, "allowed_updates")
    missing = [kind for kind in _ON_REQUEST if kind not in allowed]
    if allowed:
        missing = [kind for kind in _NEEDED if kind not in allowed] + missing
    if missing:
        kinds = ", ".join(missing)
        say = problem if any(kind in _NEEDED for kind in missing) else warning
        yield say(
            f"setWebhook did not ask for {kinds}: call it again with these in allowed_updates, "
            "beside those there are",
            f"setWebhook 未订阅 {kinds}：请在 allowed_updates 中补上后重新调用",
        )
    waiting, error = webhook.get("pending_update_count"), text_in(webhook, "last_error_message")
    if isinstance(waiting, int) and waiting > _MANY_PENDING:
        yield warning(
            f"{waiting} updates wait at Telegram: it does not get through, or not fast enough",
            f"Telegram 积压 {waiting} 条更新：投递失败或处理过慢",
        )
    if error:
        yield warning(
            f"Telegram's last failed delivery: {error} (a 403 means another secret_token: call "
            "setWebhook again with ours)",
            f"Telegram 最近一次投递失败：{error}（403 表示 secret_token 不一致：请用我们的重新"
            " setWebhook）",
        )
