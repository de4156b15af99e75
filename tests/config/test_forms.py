"""forms.yaml and web.yaml: the shipped ones load; mistakes are named with line and advice."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from caseweave.config.forms import check_claims, load_forms
from caseweave.config.web import load_web_rules
from caseweave.domain.forms import Choice, Field, FieldKind, FileRule, Form
from caseweave.domain.message import Channel
from caseweave.domain.web_rules import Continuing, Limit
from caseweave.errors import InvalidConfigError

SHIPPED = Path("config")
FORMS = """\
fields:
  picture:
    type: file
    label: {zh-CN: 图, en: Picture}
    media_types: [image/png]
    largest: 2MB
    most_files: 3
forms:
  refund:
    title: {zh-CN: 退款, en: Refund}
    intro: {zh-CN: 请填写, en: Please write}
    fields:
      paid_no:
        type: order_no
        label: {zh-CN: 流水号, en: Number}
        pattern: "[A-Z]{2}[0-9]{6,8}"
      kind:
        type: choice
        required: yes
        label: {zh-CN: 类型, en: Kind}
        choices:
          late: {zh-CN: 晚, en: Late}
      picture: {use: picture, most_files: 1}
      message:
        type: long_text
        label: {zh-CN: 内容, en: Message}
        longest: 500
"""


def load(folder, content):
    (folder / "forms.yaml").write_text(content, encoding="utf-8")
    return load_forms(folder)


def complaint(folder, content):
    with pytest.raises(InvalidConfigError) as caught:
        load(folder, content)
    return str(caught.value)


def test_a_form_is_read_as_it_is_written(tmp_path):
    assert load(tmp_path, FORMS) == {
        "refund": Form(
            name="refund",
            title={"zh-CN": "退款", "en": "Refund"},
            intro={"zh-CN": "请填写", "en": "Please write"},
            fields=(
                Field(
                    "paid_no",
                    FieldKind.ORDER_NO,
                    {"zh-CN": "流水号", "en": "Number"},
                    pattern="[A-Z]{2}[0-9]{6,8}",
                    entity="order_no",
                ),
                Field(
                    "kind",
                    FieldKind.CHOICE,
                    {"zh-CN": "类型", "en": "Kind"},
                    is_required=True,
                    choices=(Choice("late", {"zh-CN": "晚", "en": "Late"}),),
                ),
                Field(
                    "picture",
                    FieldKind.FILE,
                    {"zh-CN": "图", "en": "Picture"},
                    files=FileRule(("image/png",), 2 * 1024 * 1024, 1),
                ),
                Field(
                    "message",
                    FieldKind.LONG_TEXT,
                    {"zh-CN": "内容", "en": "Message"},
                    longest=500,
                ),
            ),
        )
    }


def test_the_shipped_forms_cover_the_home_field_and_every_claim():
    forms = load_forms(SHIPPED)
    check_claims(SHIPPED)

    assert list(forms) == [
        "topup",
        "card",
        "wallet",
        "settlement",
        "dispute",
        "account-security",
        "question",
        "contact",
    ]
    for form in forms.values():
        message = form.field("message")
        assert message is not None
        assert message.is_required
        # Who lacks an order number is heard as well.
        assert [field.name for field in form.fields if field.is_required] == ["message"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  refund:", "  Refund!:", "forms.yaml:9: forms.Refund!: name it with small letters"),
        ("  refund:", "  chat:", "forms.yaml:9: forms.chat: this is what the live chat"),
        ("      paid_no:", "      Paid:", "forms.yaml:13: forms.refund.fields.Paid: name it"),
        ("      paid_no:", "      role:", "forms.yaml:13: forms.refund.fields.role: this name"),
        ("type: order_no", "type: order", "forms.yaml:14: forms.refund.fields.paid_no.type: "),
        ("{6,8}", "{8,6}", "forms.yaml:16: forms.refund.fields.paid_no.pattern: write a range"),
        ("[0-9]{6,8}", "(a+)+", "forms.yaml:16: forms.refund.fields.paid_no.pattern: write lett"),
        ("[0-9]{6,8}", "a+b+c+d+", "forms.yaml:16: forms.refund.fields.paid_no.pattern: at mos"),
        ("required: yes", "required: maybe", "forms.yaml:19: forms.refund.fields.kind.required:"),
        ("      message:", "      text:", "forms.yaml:12: forms.refund.fields: add `message:`"),
        ("type: long_text", "type: text", "forms.yaml:25: forms.refund.fields.message.type: wri"),
        ("longest: 500", "longest: 0", "forms.yaml:27: forms.refund.fields.message.longest: wri"),
        ("longest: 500", "least: 5", "forms.yaml:27: forms.refund.fields.message.least: leave"),
        ("{use: picture,", "{use: photo,", "forms.yaml:23: forms.refund.fields.picture.use: "),
        ("largest: 2MB", "largest: 2TB", "forms.yaml:6: fields.picture.largest: write a size"),
        ("largest: 2MB", "largest: 99MB", "forms.yaml:6: fields.picture.largest: write at most"),
        ("[image/png]", "[PNG]", "forms.yaml:5: fields.picture.media_types[0]: write a media t"),
        ("en: Number", "de: Nummer", "forms.yaml:15: forms.refund.fields.paid_no.label.de: unkn"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_what_to_write(tmp_path, old, new, said):
    assert old in FORMS

    assert complaint(tmp_path, FORMS.replace(old, new)).startswith(said)


def test_fields_that_would_not_fit_into_a_record_are_refused(tmp_path):
    wide = "".join(
        f"      more_{n}: {{type: long_text, longest: 8000, label: {{zh-CN: 多, en: More}}}}\n"
        for n in range(2)
    )

    assert "at most 8000 characters together" in complaint(
        tmp_path, FORMS.replace("      message:\n", f"{wide}      message:\n")
    )


def test_a_playbook_that_claims_a_form_that_is_not_there_is_named(tmp_path):
    for file in ("forms", "playbooks"):
        shutil.copy(SHIPPED / f"{file}.yaml", tmp_path)
    text = (tmp_path / "playbooks.yaml").read_text(encoding="utf-8")
    (tmp_path / "playbooks.yaml").write_text(
        text.replace("forms: [dispute]", "forms: [disputes]"), encoding="utf-8"
    )

    with pytest.raises(InvalidConfigError, match=r"playbooks.yaml:\d+: .*'disputes' is unknown"):
        check_claims(tmp_path)


def test_a_form_belongs_to_one_playbook(tmp_path):
    for file in ("forms", "playbooks"):
        shutil.copy(SHIPPED / f"{file}.yaml", tmp_path)
    text = (tmp_path / "playbooks.yaml").read_text(encoding="utf-8")
    (tmp_path / "playbooks.yaml").write_text(
        text.replace("forms: [dispute]", "forms: [topup]"), encoding="utf-8"
    )

    with pytest.raises(InvalidConfigError, match="the playbook 'dispute' has this form already"):
        check_claims(tmp_path)


def test_the_shipped_rules_of_the_web_channel_are_read():
    rules = load_web_rules(SHIPPED)

    assert rules.limits.anonymous == Limit(20, timedelta(minutes=10))
    assert rules.limits.signed_in.most > rules.limits.anonymous.most
    assert rules.continuing == Continuing(
        timedelta(minutes=5), (Channel.EMAIL, Channel.SMS), "twilio"
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("most: 20,", "most: 0,", "web.yaml:5: limits.anonymous.most: write a number from 1"),
        ("within: 10m}\n  # The same", "within: 0s}\n  # The same", "a window of time is not em"),
        ("by: [email, sms]", "by: [fax]", "continue.by[0]: 'fax' is unknown; use one of: email"),
        ("after: 5m", "after: soon", "continue.after: write a time such as 5m"),
    ],
)
def test_a_mistake_in_the_rules_is_named(tmp_path, old, new, said):
    text = (SHIPPED / "web.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "web.yaml").write_text(text.replace(old, new), encoding="utf-8")

    with pytest.raises(InvalidConfigError) as caught:
        load_web_rules(tmp_path)

    assert said in str(caught.value)
