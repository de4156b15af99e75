"""Asking SES and SNS, with the operator's own keys."""

from collections.abc import Iterator, Sequence

from botocore.exceptions import ClientError

from caseweave.channels.setting_up import PATHS
from caseweave.cli.doctor.checks.aws_side import (
    read_receipt_rules,
    read_ses_account,
    read_ses_identity,
    read_topic,
)
from caseweave.cli.doctor.finding import Finding, problem
from caseweave.cli.place import Place


def ask_ses(place: Place) -> Iterator[Finding]:
    """Raises ClientError, BotoCoreError."""
    address = place.settings.get("SupportAddress", "")
    if not address:
        yield problem(
            "the stack's parameter SupportAddress is empty: mail cannot leave",
            "部署参数 SupportAddress 为空：无法发送邮件",
        )
        return
    sender, receiver = place.client("sesv2"), place.client("ses")
    yield from read_ses_account(sender.get_account())
    domain = address.rpartition("@")[2]
    try:
        identity = sender.get_email_identity(EmailIdentity=domain)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NotFoundException":
            raise
        identity = None
    yield from read_ses_identity(domain, identity)
    rules = receiver.describe_active_receipt_rule_set().get("Rules", [])
    yield from read_receipt_rules(rules, place.mail_bucket, address)


def ask_sns(place: Place, topics: Sequence[str]) -> Iterator[Finding]:
    """Raises ClientError, BotoCoreError."""
    sns, ours = place.client("sns"), place.api_url + PATHS["aws"]
    for arn in topics:
        attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
        pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
        found = [one for page in pages for one in page["Subscriptions"]]
        for one in found:
            name = one["SubscriptionArn"]
            if one["Endpoint"] == ours and name.startswith("arn:"):
                more = sns.get_subscription_attributes(SubscriptionArn=name)["Attributes"]
                one["RawMessageDelivery"] = more.get("RawMessageDelivery", "")
        yield from read_topic(arn, attributes, found, ours)
