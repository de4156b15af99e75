"""What a reply says, apart from the mail it quotes.

The quoted part is always the end of a text, so that the two parts put together are the text again.
An answer below or between quotes stays with them: "yes" means nothing without its question.
Every line is looked at a fixed number of times.
"""

import re

_LONGEST_LINE = 500
_MOST_ATTRIBUTION_LINES = 4

_FORWARD_SUBJECT = re.compile(
    r"^(?:re\s*[:\uff1a]\s*)*(?:fw|fwd|forward|forwarded|wg|tr|rv|enc|i|转发|轉寄|转寄|轉發)\s*[:\uff1a]",
    re.IGNORECASE,
)
_FORWARD_LINE = re.compile(
    r"^[\s*_-]*(?:forwarded message|begin forwarded message|forwarded by|转发的邮件|转发邮件"
    r"|转发邮件信息|被转发邮件|轉寄的郵件|weitergeleitete nachricht"
    r"|message transféré|mensaje reenviado)\b",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(
    r"^[\s*]*[-_]{2,}\s*(?:original (?:message|appointment|e-?mail)|replied message|reply message"
    r"|原始邮件|原邮件|回复的原邮件|回复邮件|原始郵件|原始信件|原郵件"
    r"|ursprüngliche (?:nachricht|e-?mail)"
    r"|message d'origine|message original|mensaje original|mensagem original|messaggio originale"
    r"|oorspronkelijk bericht|oprindelig (?:meddelelse|besked)|opprinnelig melding"
    r"|on \S.{0,200} wrote|ursprungligt meddelande"
    r"|исходное сообщение|исходное письмо|元のメッセージ|원본 메시지)\s*[-_]{2,}[\s*]*$",
    re.IGNORECASE,
)
_RULE = re.compile(r"^\s*(?:[-_=*]{5,}|\u2014{3,})\s*$")
_FROM = re.compile(
    r"^[\s*|]*(?:from|发件人|發件人|寄件人|寄件者|发信人|von|de|da|van|fra|från|от"
    r"|差出人|보낸 사람)"
    r"[\s*|]*[:\uff1a|]",
    re.IGNORECASE,
)
_FIELD = re.compile(
    r"^[\s*|]*(?:sent|date|to|cc|bcc|subject|reply-to|发送时间|發送時間|傳送時間|发送日期|寄件日期"
    r"|日期|时间|時間|收件人|收件者|抄送|抄送人|副本|密送|主题|主題|主旨|標題|标题|gesendet|datum|an|betreff"
    r"|envoyé|date d'envoi|à|objet|enviado(?: el)?|fecha|para|asunto|assunto|data"
    r"|inviato|oggetto|a|verzonden|aan|onderwerp|sendt|til|emne|skickat|till|ämne|отправлено|дата|кому|тема|送信日時|宛先|件名"
    r"|보낸 날짜|받는 사람|제목)[\s*|]*[:\uff1a|]",
    re.IGNORECASE,
)
_WROTE = re.compile(
    r"(?:\bwrote|写道|寫道|\bschrieb\b.{0,120}|\ba écrit|\bescribió|\bha scritto"
    r"|\bschreef\b.{0,120}|\bnapisał(?:\(a\)|a)?\b.{0,120}|\bskrev\b.{0,120}|\bescreveu|\bkirjoitti|(?:написала?|пишет)"
    r"|書きました|작성)\s*[:\uff1a]?\s*\**$",
    re.IGNORECASE,
)
# Gmail in Chinese and Japanese: a date, a person with an address, a colon.
_DATED_PERSON = re.compile(
    r"(?:\d{4}\s*[-/.年]|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}).{0,120}<[^<>\s]{1,200}@[^<>\s]{1,200}>\s*[:\uff1a]$"
)
_STARTS_WITH_DATE = re.compile(
    r"^[\s*]*(?:(?:on|at(?=\s+\d{4})|le|am|el|il|op|w|dnia|den|em|på|в)\b|在|于|於|\d{4}\s*[-/年]).*\d",
    re.IGNORECASE,
)
_NAMES_TIME_OR_PERSON = re.compile(r"<[^<>\s]{1,200}@|\d{1,2}[-/.年]\d{1,2}|\d:\d\d")


def is_forward(subject: str, text: str) -> bool:
    """Was this mail sent on? Then what it contains is what its sender wants to be read."""
    if _FORWARD_SUBJECT.match(subject.strip()):
        return True
    lines = (line.strip() for line in text[: 20 * _LONGEST_LINE].splitlines())
    first = next((line for line in lines if line), "")
    return _FORWARD_LINE.match(first) is not None


def split_reply(text: str) -> tuple[str, str]:
    """The new text and the quoted text after it; both together are *text*.

    A text that is nothing but quotes is new.
    """
    lines = text.splitlines(keepends=True)
    shown = [line[:_LONGEST_LINE].strip() for line in lines]
    end = _find_header(shown)
    end = _skip_quotes(shown, end)
    new = "".join(lines[:end]).rstrip()
    if end == len(lines) or not new or _is_mere_frame(shown[:end]):
        return text, ""
    return new, text[len(new) :]


def _find_header(shown: list[str]) -> int:
    """The first line of what mailers write above a mail that they quote whole."""
    for at, line in enumerate(shown):
        if line.startswith(">"):
            continue
        if _FORWARD_LINE.match(line):
            return len(shown)
        if _SEPARATOR.match(line) or _is_header_block(shown, at):
            return _without_rule(shown, at)
        if _WROTE.search(line) or _DATED_PERSON.search(line):
            start = _find_attribution(shown, at)
            if start is not None and not _is_marked(shown, at + 1) and _is_dated(shown, start, at):
                return start
    return len(shown)


def _is_header_block(shown: list[str], at: int) -> bool:
    """From, and at least two more of the headers of a mail in the next lines."""
    if not _FROM.match(shown[at]):
        return False
    fields = 0
    for line in shown[at + 1 : at + 12]:
        if _FIELD.match(line):
            fields += 1
    return fields >= 2


def _without_rule(shown: list[str], at: int) -> int:
    """Before the rule that stands above *at*."""
    above = at
    while above > 0 and at - above < 3 and not shown[above - 1]:
        above -= 1
    return above - 1 if above > 0 and _RULE.match(shown[above - 1]) else at


def _is_marked(shown: list[str], at: int) -> bool:
    """Is the next line with something in it marked as quoted?"""
    following = next((line for line in shown[at : at + 5] if line), "")
    return following.startswith(">")


def _find_attribution(shown: list[str], last: int) -> int | None:
    """Where the sentence begins that ends in "wrote:" on line *last*."""
    nearest = None
    for start in range(last, max(-1, last - _MOST_ATTRIBUTION_LINES), -1):
        line = shown[start]
        if start != last and (not line or _ends_sentence(line)):
            break
        if _STARTS_WITH_DATE.search(line):
            return start
        if nearest is None and _NAMES_TIME_OR_PERSON.search(line):
            nearest = start
    if nearest == last and last > 0 and not _is_dated(shown, last, last):
        is_date_above = re.search(r"\d{4}", shown[last - 1]) is not None
        return last - 1 if is_date_above and not _ends_sentence(shown[last - 1]) else last
    return nearest


def _ends_sentence(line: str) -> bool:
    return line.endswith((".", "!", "?", "\u3002", "\uff01", "\uff1f"))


def _is_dated(shown: list[str], start: int, last: int) -> bool:
    sentence = " ".join(shown[start : last + 1])
    has_time = re.search(r"\d{4}|\d:\d\d", sentence) is not None
    return has_time and (
        "," in sentence or "@" in sentence or "\uff0c" in sentence or "年" in sentence
    )


def _skip_quotes(shown: list[str], end: int) -> int:
    """Before the marked lines that *end* comes right after, and before who is said to have
    written them.
    """
    at = end
    while at > 0 and (not shown[at - 1] or shown[at - 1].startswith(">")):
        at -= 1
    if not any(line.startswith(">") for line in shown[at:end]):
        return end
    if at > 0 and (
        _WROTE.search(shown[at - 1])
        or _DATED_PERSON.search(shown[at - 1])
        or shown[at - 1].endswith((":", "\uff1a"))
    ):
        start = _find_attribution(shown, at - 1)
        if start is not None:
            return start
    return at


def _is_mere_frame(shown: list[str]) -> bool:
    """Nothing but rules is no answer."""
    return all(not line or _RULE.match(line) for line in shown)
