"""Bounces and complaints: what mail systems write about a mail of ours.

https://www.rfc-editor.org/rfc/rfc3464 (delivery status), https://www.rfc-editor.org/rfc/rfc5965
(complaints). Many systems write neither, but words and a copy of the mail. Whoever can write to us
can write such a report, so what is found here is a claim, until our signature in it was checked.
"""

import re
from collections.abc import Iterator

from caseweave.channels.mail_reading import Mail, MailPart, read_mail
from caseweave.domain.identity import normalise_email
from caseweave.domain.message import DeliveryState, MailReport
from caseweave.domain.tokens import find_traces
from caseweave.errors import UnparseableError

_REPORT_TYPE = re.compile(r"\breport-type\s*=\s*\"?([a-z-]{1,40})")
_STATUS_KINDS = ("message/delivery-status", "message/global-delivery-status")
_FEEDBACK_KIND = "message/feedback-report"
_RETURNED_KINDS = ("message/rfc822", "message/global", "text/rfc822-headers")
_DAEMON = re.compile(
    r"\b(mailer-?daemon|mail-?daemon|post_?master)\b|mail delivery (sub)?system", re.IGNORECASE
)
# How they say it where they use no format, in the subject or in the first lines.
_SIGNS = re.compile(
    r"undeliver|non remis|unzustellbar|returned (mail|to sender)|mail (system )?(error|failure)"
    r"|delivery (status|report|failure|has failed|problem|to the following)|delivery failed"
    r"|failure notice|mail delivery|message delivery|could ?n[o']t be delivered"
    r"|(was|were) not delivered|unable to deliver|wasn't able to deliver|not deliverable"
    r"|(error|failed|not) send(ing)? (your )?mail|mail failed|配信できません|エラー通知"
    r"|delivery incomplete|message status|warning: (message|could not)"
    r"|退信|退回|无法投递|投递失败|未能送达|发送失败|无法送达|投遞失敗",
    re.IGNORECASE,
)
_DELAY = re.compile(
    r"\bdelay|\bwarning\b|still being retried|will (be )?(retr|continue to|keep trying)"
    r"|do not need to resend|延迟|暂时未",
    re.IGNORECASE,
)
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REPLY_CODE = re.compile(r"(?<![\d.])[45]\d\d[ -]")
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w.-]{1,255}", re.ASCII)
_SENT_ID = re.compile(
    r"(?<![a-z0-9-])([a-z0-9-]{16,100})@(?:[a-z0-9-]{1,40}\.)?amazonses\.com", re.IGNORECASE
)
_STATES = {
    "failed": DeliveryState.FAILED,
    "delivered": DeliveryState.DELIVERED,
    "delayed": None,
    "relayed": None,
    "expanded": None,
}
_NO_COMPLAINTS = ("not-spam", "auth-failure", "virus")
_LONGEST_LOOKED_AT = 100_000
_LONGEST_DETAIL = 400
_MOST_FOUND = 5
_MOST_RECIPIENTS = 20

Fields = dict[str, str]


def read_report(
    provider: str, mail: Mail, event_id: str, *, is_null_sender: bool = False
) -> MailReport | None:
    """What *mail* reports of an earlier one; None if it is a mail like any other.

    *is_null_sender*: the envelope named no sender, which is how bounces are sent.
    """
    kind = _report_kind(mail)
    if not _is_report(mail, kind, is_null_sender=is_null_sender):
        return None
    blocks = [block for part in _parts(mail, *_STATUS_KINDS) for block in _blocks(part.content)]
    told = next((one for one in blocks if one.get("action", "").lower() == "failed"), {})
    told = told or next((one for one in blocks if "action" in one), {})
    if kind == "feedback-report":
        state, detail = _read_complaint(mail)
    else:
        state, detail = _read_state(mail, told), _read_detail(mail, told)
    texts = [*mail.references, *_returned_heads(mail), mail.text[:_LONGEST_LOOKED_AT]]
    return MailReport(
        provider=provider,
        account="",
        event_id=event_id,
        traces=find_traces("\n".join(texts)),
        sent_ids=find_sent_ids("\n".join(texts)),
        recipients=_recipients(mail, blocks, texts),
        state=state,
        detail=detail,
    )


def find_sent_ids(text: str) -> tuple[str, ...]:
    """The ids in *text* that SES gave to mails."""
    return tuple(dict.fromkeys(one[1] for one in _SENT_ID.finditer(text)))[:_MOST_FOUND]


def _report_kind(mail: Mail) -> str:
    """The report-type of a multipart/report, "delivery-status" where it names none."""
    content_type = mail.header("content-type").lower()
    if not content_type.startswith("multipart/report"):
        return ""
    found = _REPORT_TYPE.search(content_type)
    return found[1] if found else "delivery-status"


def _is_report(mail: Mail, kind: str, *, is_null_sender: bool) -> bool:
    """By the format, or a machine's words. A person's own mail with a bounce inside is none."""
    if kind == "disposition-notification":
        return False
    if kind and _parts(mail, *_STATUS_KINDS, _FEEDBACK_KIND):
        return True
    is_null_sender = is_null_sender or mail.header("return-path").strip() == "<>"
    if not (is_null_sender or _DAEMON.search(mail.header("from"))):
        return False
    has_status = bool(_parts(mail, *_STATUS_KINDS)) or bool(mail.header("x-failed-recipients"))
    return has_status or bool(_SIGNS.search(f"{mail.subject}\n{mail.text[:2_000]}"))


def _parts(mail: Mail, *kinds: str) -> list[MailPart]:
    return [file for file in mail.files if file.media_type in kinds]


def _blocks(content: bytes) -> list[Fields]:
    """The groups of fields in a status part, names in lower case, folded lines joined."""
    text = content[:_LONGEST_LOOKED_AT].decode("utf-8", "replace").replace("\r\n", "\n")
    found = []
    for group in re.split(r"\n[ \t]*\n", text):
        fields: Fields = {}
        for line in re.sub(r"\n[ \t]+", " ", group).splitlines():
            name, colon, value = line.partition(":")
            if colon:
                fields.setdefault(name.strip().lower(), value.strip())
        if fields:
            found.append(fields)
    return found


def _read_state(mail: Mail, told: Fields) -> DeliveryState | None:
    """FAILED is what was given up; whatever is still being tried is None."""
    action = told.get("action", "").lower()
    if action in _STATES:
        return _STATES[action]
    is_late = bool(_DELAY.search(mail.subject)) or _find_status(mail, told).startswith("4")
    return None if is_late else DeliveryState.FAILED


def _find_status(mail: Mail, told: Fields) -> str:
    for text in (told.get("status", ""), told.get("diagnostic-code", ""), mail.text[:10_000]):
        if found := _STATUS.search(text):
            return found[1]
    return ""


def _read_detail(mail: Mail, told: Fields) -> str:
    """The status code, and the words that go with it."""
    status = _find_status(mail, told)
    words = told.get("diagnostic-code", "")
    if not words:
        lines = (" ".join(line.split()) for line in mail.text[:10_000].splitlines())
        words = next((one for one in lines if _STATUS.search(one) or _REPLY_CODE.search(one)), "")
    words = " ".join((words or mail.subject).split())
    return (words if status in words else f"{status} {words}")[:_LONGEST_DETAIL]


def _read_complaint(mail: Mail) -> tuple[DeliveryState | None, str]:
    blocks = [block for part in _parts(mail, _FEEDBACK_KIND) for block in _blocks(part.content)]
    kind = next((block["feedback-type"] for block in blocks if "feedback-type" in block), "abuse")
    state = None if kind.lower() in _NO_COMPLAINTS else DeliveryState.COMPLAINED
    return state, f"complaint: {kind}"[:_LONGEST_DETAIL]


def _returned_heads(mail: Mail) -> Iterator[str]:
    """The headers of the returned mail, one line each."""
    for part in _parts(mail, *_RETURNED_KINDS)[:_MOST_FOUND]:
        try:
            returned = read_mail(part.content[:_LONGEST_LOOKED_AT])
        except UnparseableError:
            continue
        yield "\n".join(f"{name}: {value}" for name, value in returned.headers)


def _recipients(mail: Mail, blocks: list[Fields], texts: list[str]) -> tuple[str, ...]:
    """Every address that the report may be about."""
    told = [block.get(name, "") for block in blocks for name in _RECIPIENT_FIELDS]
    told += [mail.header("x-failed-recipients"), *texts]
    found = (normalise_email(one[0]) for text in told for one in _ADDRESS.finditer(text[:10_000]))
    return tuple(dict.fromkeys(found))[:_MOST_RECIPIENTS]


_RECIPIENT_FIELDS = ("final-recipient", "original-recipient")
