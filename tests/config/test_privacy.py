"""privacy.yaml: the shipped one loads; mistakes are named with line and advice."""

from datetime import timedelta
from pathlib import Path

import pytest

from caseweave.config.privacy import load_privacy
from caseweave.domain.masking import SecretKind, Shape, mask_text
from caseweave.domain.privacy import Hold, PrivacyRules
from caseweave.errors import InvalidConfigError

GOOD = """\
masking:
  card_secrets:
    - {shape: "9{18}", near: [卡密]}
    - shape: X{5}-X{5}-X{5}
  identity_numbers:
    - {shape: "A9{8}", near: [护照]}
retention:
  closed_cases: 730d
  deletion_log: never
hold:
  categories: [dispute]
  lasts: 180d
"""


def load(folder, content):
    (folder / "privacy.yaml").write_text(content, encoding="utf-8")
    return load_privacy(folder)


def test_the_rules_are_read_as_they_are_written(tmp_path):
    assert load(tmp_path, GOOD) == PrivacyRules(
        shapes=(
            Shape(("9" * 18,), ("卡密",)),
            Shape(("X" * 5,) * 3),
            Shape(("A" + "9" * 8,), ("护照",), SecretKind.IDENTITY_NUMBER),
        ),
        closed_cases=timedelta(days=730),
        deletion_log=None,
        hold=Hold(("dispute",), timedelta(days=180)),
    )


def test_the_shipped_rules_load_and_know_the_usual_cards():
    shapes = load_privacy(Path("config")).shapes
    for text in (
        "移动充值卡 序列号 12345678901234567",
        "充值卡 123456789012345678 用不了",
        "苹果礼品卡 XK9L2MN4PQR7STU1",
        "护照 E12345678",
    ):
        is_masked = bool(mask_text(text, shapes).kinds)
        assert is_masked is ("序列号" not in text)


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ('"9{18}"', '"9{18"', "privacy.yaml:3: masking.card_secrets[0].shape: write a shape such"),
        (", near: [卡密]", "", "privacy.yaml:3: masking.card_secrets[0].shape: add `near:`"),
        ("shape: X", "pattern: X", "privacy.yaml:4: masking.card_secrets[1].pattern: unknown"),
        ("card_secrets", "cards", "privacy.yaml:2: masking.cards: unknown; use one of"),
        ("730d", "two years", "privacy.yaml:8: retention.closed_cases: write a time of 30d or"),
        ("730d", "1d", "privacy.yaml:8: retention.closed_cases: write a time of 30d or more"),
        ("730d", "90d", "privacy.yaml:8: retention.closed_cases: write at least 180d, as long as"),
        ("never", "30d", "privacy.yaml:9: retention.deletion_log: write at least 35d: a backup"),
        ("closed_cases: 730d", "", "privacy.yaml:7: retention: add `closed_cases:`"),
        ("180d", "half a year", "privacy.yaml:12: hold.lasts: write a time such as 180d"),
        ("[dispute]", "dispute", "privacy.yaml:11: hold.categories: write a list"),
        ("retention", "keep", "privacy.yaml:7: keep: unknown; use one of: masking, retention"),
    ],
)
def test_mistakes_say_where_and_what_to_write(tmp_path, before, after, complaint):
    assert before in GOOD
    with pytest.raises(InvalidConfigError) as caught:
        load(tmp_path, GOOD.replace(before, after, 1))
    assert complaint in str(caught.value)
