"""What SES itself wrote on top of a mail: its verdicts, and for whom it took the mail.

https://docs.aws.amazon.com/ses/latest/dg/receiving-email-concepts.html
Whoever writes a mail can put the same headers below: only those above the second `Received` are
SES's own, and of these the first.
"""

import re

from caseweave.channels.mail_reading import LONGEST_HEADER, Mail

_DMARC = re.compile(r"\bdmarc=(\w+)")
_HEADER_FROM = re.compile(r"\bheader\.from=([^\s;]+)")
_OTHERS = {name: re.compile(rf"\b{name}=(\w+)") for name in ("spf", "dkim")}
_SCANS = {"spam": "x-ses-spam-verdict", "virus": "x-ses-virus-verdict"}
_KNOWN_SCANS = {"pass", "fail", "gray", "processing_failed", "disabled"}
_OWN_RECEIVED = re.compile(
    r"\bby inbound-smtp\.[a-z0-9-]+\.amazonaws\.com\b.*\bfor <?([^\s;<>]{1,254}@[^\s;<>]{1,254})>?;"
)


def read_dmarc(mail: Mail) -> tuple[str, str]:
    """SES's DMARC verdict and the domain it is about; empty where it gave none.

    Only the first Authentication-Results counts. It quotes what the sender said (envelope-from,
    helo): a second verdict in it, or one cut off, is the mark of somebody who tries, and counts as
    a fail.
    """
    results = _own_results(mail)
    found, domains = _DMARC.findall(results), _HEADER_FROM.findall(results)
    is_cut = len(mail.header("authentication-results")) >= LONGEST_HEADER
    if results and (len(found) > 1 or len(domains) > 1 or is_cut):
        return "fail", ""
    return "".join(found), "".join(domains)


def read_verdicts(mail: Mail) -> dict[str, str]:
    """What SES found: spf, dkim, dmarc, spam, virus, each as far as it said."""
    results = _own_results(mail)
    verdicts = {name: ",".join(dict.fromkeys(p.findall(results))) for name, p in _OTHERS.items()}
    verdicts["dmarc"] = read_dmarc(mail)[0]
    own = _own_headers(mail)
    for name, header in _SCANS.items():
        told = own.get(header, "").strip().lower()
        verdicts[name] = told if told in _KNOWN_SCANS else ""
    return {name: verdict for name, verdict in verdicts.items() if verdict}


def read_envelope_recipient(mail: Mail) -> str:
    """The address that SES took this mail for; "" where it does not say."""
    found = _OWN_RECEIVED.search(mail.header("received"))
    return found[1] if found else ""


def _own_results(mail: Mail) -> str:
    results = mail.header("authentication-results").lower()
    authority, _, verdicts = results.partition(";")
    return verdicts if authority.strip() == "amazonses.com" else ""


def _own_headers(mail: Mail) -> dict[str, str]:
    """The headers above the second `Received`, each as it was said first."""
    own: dict[str, str] = {}
    for name, value in mail.headers:
        if name == "received" and name in own:
            break
        own.setdefault(name, value)
    return own
