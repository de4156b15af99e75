"""What stands in the account of AWS itself: SES for mail, SNS for SMS.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html
https://docs.aws.amazon.com/ses/latest/APIReference/API_DescribeActiveReceiptRuleSet.html
https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from caseweave.channels.json_reading import object_in, objects_in, text_in
from caseweave.cli.doctor.finding import Finding, ok, problem, warning


def read_ses_account(account: Mapping[str, Any]) -> Iterator[Finding]:
    if account.get("SendingEnabled") is not True:
        yield problem(
            "SES does not send for this account: see its reputation page and ask AWS to resume",
            "SES 已暂停本账号发送：请查看信誉页面并向 AWS 申请恢复",
        )
    if account.get("ProductionAccessEnabled") is True:
        yield ok("SES sends to everybody", "SES 可发送给任何人")
    else:
        yield problem(
            "SES is in its sandbox and sends to verified addresses only: request production access",
            "SES 处于沙盒，只能发给已验证地址：请申请生产访问权限",
        )


def read_ses_identity(name: str, identity: Mapping[str, Any] | None) -> Iterator[Finding]:
    """*identity* is what SES knows of *name*, None for nothing."""
    if identity is None or identity.get("VerifiedForSendingStatus") is not True:
        yield problem(
            f"SES has not verified {name}: create the identity and publish its DNS records",
            f"SES 未验证 {name}：请创建身份并发布其 DNS 记录",
        )
        return
    yield ok(f"SES has verified {name}", f"SES 已验证 {name}")
    if text_in(object_in(identity, "DkimAttributes"), "Status") != "SUCCESS":
        yield warning(
            f"mail of {name} is not signed (DKIM): publish the three CNAME records",
            f"{name} 的邮件没有 DKIM 签名：请发布三条 CNAME 记录",
        )


def read_receipt_rules(
    rules: Sequence[Mapping[str, Any]], bucket: str, address: str
) -> Iterator[Finding]:
    """Does a rule for *address* store mail in *bucket*? It may name the address, or its domain."""
    ours = [
        rule
        for rule in rules
        if any(
            text_in(object_in(action, "S3Action"), "BucketName") == bucket
            for action in objects_in(rule, "Actions")
        )
    ]
    if not ours:
        yield problem(
            f"no active receipt rule stores mail in {bucket}: create one for {address} with the "
            "action Deliver to S3 bucket (in a region where SES receives)",
            f"没有将邮件存入 {bucket} 的收件规则：请为 {address} 新建，动作为存入 S3"
            "（须在 SES 支持收件的区域）",
        )
        return
    if not any(rule.get("Enabled") for rule in ours):
        yield problem("the receipt rule is off: enable it", "收件规则未启用：请启用")
    elif not any(_is_for(rule, address) for rule in ours):
        yield problem(
            f"the receipt rule is not for {address}: add it, or its domain, to the recipients",
            f"收件规则不含 {address}：请将该地址或其域名加入收件人",
        )
    else:
        yield ok(f"a receipt rule stores mail in {bucket}", f"收件规则将邮件存入 {bucket}")
    if not all(rule.get("ScanEnabled") for rule in ours):
        yield warning(
            "the receipt rule does not scan: spam and viruses have no verdict",
            "收件规则未开启扫描：无垃圾邮件与病毒判定",
        )


def _is_for(rule: Mapping[str, Any], address: str) -> bool:
    """A rule without recipients is for all. One for the bare address misses its + variants, which
    answers come to.
    """
    domain = address.rpartition("@")[2]
    recipients = rule.get("Recipients") or [domain]
    return any(one in (domain, f".{domain}", address) for one in recipients)


def read_topic(
    arn: str,
    attributes: Mapping[str, Any],
    subscriptions: Sequence[Mapping[str, Any]],
    ours: str,
) -> Iterator[Finding]:
    """*subscriptions* are those of SNS, with `RawMessageDelivery` where it was asked."""
    if text_in(attributes, "SignatureVersion") != "2":
        yield problem(
            f"{arn} signs with SHA-1: set its attribute SignatureVersion to 2",
            f"{arn} 使用 SHA-1 签名：请将属性 SignatureVersion 设为 2",
        )
    found = [one for one in subscriptions if text_in(one, "Endpoint") == ours]
    if not found:
        yield problem(
            f"{arn} has no subscription for {ours}: create one, protocol HTTPS",
            f"{arn} 没有订阅 {ours}：请新建 HTTPS 订阅",
        )
    elif not text_in(found[0], "SubscriptionArn").startswith("arn:"):
        yield problem(
            "the subscription waits for its confirmation: request it again in SNS; the desk "
            "confirms it by itself",
            "订阅等待确认：请在 SNS 重新发起，本系统会自动确认",
        )
    elif text_in(found[0], "RawMessageDelivery") == "true":
        yield problem(
            "the subscription delivers raw messages, which nobody signs: turn that off",
            "订阅启用了原始消息传递（无签名）：请关闭",
        )
    else:
        yield ok(f"{arn} delivers to us", f"{arn} 已投递到本系统")
