"""Forms: the schema a page gets, and what the server makes of what is filled in."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from caseweave.config.forms import load_forms
from caseweave.domain.form_checking import Filled, check_form
from caseweave.domain.form_schema import describe_form, list_form
from caseweave.domain.forms import Choice, Field, FieldKind, FileRule, Form
from caseweave.errors import InvalidRequestError

BOTH = {"zh-CN": "题目", "en": "Title"}
FORM = Form(
    "refund",
    BOTH,
    {"zh-CN": "说明", "en": "Intro"},
    (
        Field("paid_no", FieldKind.ORDER_NO, BOTH, {"zh-CN": "在订单里", "en": "See the order"}),
        Field(
            "kind",
            FieldKind.CHOICE,
            BOTH,
            is_required=True,
            choices=(Choice("late", {"zh-CN": "晚了", "en": "Late"}),),
        ),
        Field("code", FieldKind.TEXT, BOTH, {"en": "like E1"}, pattern="E[0-9]+", longest=9),
        Field("amount", FieldKind.NUMBER, BOTH, least=0, most=100),
        Field("email", FieldKind.EMAIL, BOTH),
        Field("phone", FieldKind.PHONE, BOTH),
        Field("shot", FieldKind.FILE, BOTH, files=FileRule(("image/png",), 1000, 2)),
        Field("message", FieldKind.LONG_TEXT, BOTH, is_required=True, longest=50),
    ),
)
FULL = {
    "paid_no": " T2026-1 ",
    "kind": "late",
    "code": "E42",
    "amount": 9.5,
    "email": "Lin@Example.com",
    "phone": "+86 138-0013-8000",
    "shot": ["token"],
    "message": " 没到账\n",
    "product": "coins",
    "x": True,
    "deep": {"a": 1},
    "reference": "C-OTHER",
    "name": "Lin",
}


def errors_of(said, language="en", form=FORM):
    with pytest.raises(InvalidRequestError) as caught:
        check_form(form, said, language)
    return dict(caught.value.errors)


def test_what_is_filled_in_is_kept_by_field_and_by_meaning():
    form = Form("refund", BOTH, BOTH, (replace_entity(FORM.fields[0]), *FORM.fields[1:]))

    assert check_form(form, FULL, "en") == Filled(
        form="refund",
        message=" 没到账\n",
        subject="",
        locale="",
        fields={
            "form": "refund",
            "product": "coins",
            "paid_no": "T2026-1",
            "kind": "late",
            "code": "E42",
            "amount": "9.5",
            "order_no": "T2026-1",
        },
        uploads=(("shot", "token"),),
        contact={"name": "Lin", "email": "Lin@Example.com", "phone": "+86 138-0013-8000"},
    )


def replace_entity(field):
    return Field(field.name, field.kind, field.label, field.hint, entity="order_no")


def test_every_wrong_field_is_named_with_what_to_write_in_the_asked_language():
    said = {"paid_no": "?", "code": "42", "amount": 101, "email": "lin", "phone": "x", "shot": 1}

    assert errors_of(said) == {
        "paid_no": "write the order number: letters, digits and dashes, 4 to 40",
        "kind": "fill this in",
        "code": "write it as described: like E1",
        "amount": "write 100 or less",
        "email": "write an address such as name@example.com",
        "phone": "write a number such as +86 138 0013 8000",
        "shot": "name the tokens of the uploaded files",
        "message": "fill this in",
    }
    assert errors_of(said, "zh-CN")["message"] == "请填写此项"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"kind": "other"}, "kind"),
        ({"kind": ["late"]}, "kind"),
        ({"message": "x" * 51}, "message"),
        ({"message": {"a": 1}}, "message"),
        ({"message": True}, "message"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": "1e999"}, "amount"),
        ({"amount": -1}, "amount"),
        ({"amount": "12 yuan"}, "amount"),
        ({"shot": ["a", "b", "c"]}, "shot"),
        ({"shot": [""]}, "shot"),
        ({"shot": [{}]}, "shot"),
        ({"contact": {"email": "nobody"}}, "email"),
    ],
)
def test_one_wrong_field_is_the_only_one_named(said, field):
    assert list(errors_of({"kind": "late", "message": "hi"} | said)) == [field]


def test_body_is_another_name_for_message_and_contact_may_be_a_group():
    filled = check_form(
        FORM, {"kind": "late", "body": "hi", "contact": {"email": "a@b.example"}}, "en"
    )

    assert (filled.message, filled.contact["email"]) == ("hi", "a@b.example")


def test_what_a_page_adds_is_bounded():
    said = {f"extra{n}": "x" * 999 for n in range(99)} | {"order_no": "T1", "bad name": "x"}
    filled = check_form(FORM, {"kind": "late", "message": "hi", **said}, "en")

    extras = {name: value for name, value in filled.fields.items() if name != "form"}
    assert len(extras) == 21
    assert extras.pop("order_no") == "T1"
    assert set(extras.values()) == {"x" * 200, "late"}


def test_the_schema_is_in_one_language_with_what_a_page_needs_to_draw_it():
    schema = describe_form(FORM, "zh-CN", {"verifier": "turnstile", "site_key": "k"})

    Draft202012Validator.check_schema(schema)
    assert (schema["title"], schema["description"]) == ("题目", "说明")
    assert schema["required"] == ["kind", "message"]
    assert schema["x-order"][:2] == ["paid_no", "kind"]
    assert schema["x-human-check"] == {"verifier": "turnstile", "site_key": "k"}
    assert schema["properties"]["kind"] == {
        "title": "题目",
        "x-widget": "choice",
        "type": "string",
        "oneOf": [{"const": "late", "title": "晚了"}],
    }
    assert schema["properties"]["paid_no"]["description"] == "在订单里"
    assert schema["properties"]["shot"]["x-upload"] == {
        "address": "/intake/web/uploads",
        "media_types": ["image/png"],
        "largest": 1000,
    }
    assert list_form(FORM, "en")["schema"] == "/intake/web/forms/refund"
    assert "x-human-check" not in describe_form(FORM, "en", {})


FORMS = load_forms(Path("config"))
TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
TYPED = st.one_of(
    TEXT,
    st.sampled_from(["T2026-1234", "lin@example.com", "+86 138 0013 8000", "2026-11-23", "A1b2"]),
    st.integers(-5, 10**9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
    st.lists(TEXT, max_size=3),
    st.dictionaries(TEXT, TEXT, max_size=2),
)


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(sorted(FORMS)), data=st.data())
def test_whatever_the_schema_allows_the_server_takes(name, data):
    form = FORMS[name]
    names = st.sampled_from([field.name for field in form.fields])
    said = data.draw(st.dictionaries(names, TYPED, max_size=6)) | data.draw(
        st.sampled_from([{}, {"message": "没到账"}])
    )

    wrong = set()
    try:
        check_form(form, said, "en")
    except InvalidRequestError as error:
        wrong = {field for field, _ in error.errors}

    is_allowed = Draft202012Validator(describe_form(form, "en", {})).is_valid(said)
    assert wrong == set() or not is_allowed
    assert wrong <= {field.name for field in form.fields}


@pytest.mark.parametrize("name", sorted(FORMS))
def test_every_shipped_word_is_there_in_both_languages(name):
    form = FORMS[name]
    for field in form.fields:
        for words in filter(None, (field.label, field.hint, *(one.label for one in field.choices))):
            assert re.search(r"[\u4e00-\u9fff]|^例如 \d", words["zh-CN"])
            assert words["en"].isascii()
        if not field.choices and field.name not in ("message", "subject"):
            assert field.hint, f"{name}.{field.name} does not say where to find it"
