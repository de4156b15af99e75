import pytest

from caseweave.channels.credentials import Credentials
from caseweave.errors import MissingSecretError

SHOP, CARDS = {"channel_secret": "shop", "token": ["new", "old"]}, {"channel_secret": "cards"}
TWO = Credentials(
    "line", {"channel_secret": "main", "region": "jp", "accounts": {"U1": SHOP, "U2": CARDS}}
)


def test_every_accounts_secret_opens_the_door():
    assert TWO.live("channel_secret") == ["main", "shop", "cards"]
    assert TWO.live("token") == ["new", "old"]


def test_an_account_has_its_own_values_and_shares_the_others():
    shop = TWO.of_account("U1")

    assert (shop.live("channel_secret"), shop.current("token")) == (["shop"], "new")
    assert shop.current("region") == "jp"
    assert TWO.of_account("U2").current("channel_secret") == "cards"


def test_an_account_without_values_of_its_own_has_the_shared_ones():
    assert TWO.of_account("U9") == TWO
    assert TWO.of_account("U9").current("channel_secret") == "main"


def test_a_secret_tells_whose_it_is():
    assert TWO.account_with("channel_secret", "cards") == "U2"
    assert TWO.account_with("token", "old") == "U1"
    assert (TWO.account_with("channel_secret", "main"), TWO.account_with("token", "x")) == ("", "")


@pytest.mark.parametrize("accounts", [None, [], "U1", {"U1": None}, {"U1": ["x"]}])
def test_accounts_that_are_none_add_nothing(accounts):
    odd = Credentials("line", {"channel_secret": "main", "accounts": accounts})

    assert odd.live("channel_secret") == ["main"]
    assert odd.of_account("U1") == odd


def test_what_no_account_has_is_missing():
    with pytest.raises(MissingSecretError, match="line has no app_secret"):
        TWO.live("app_secret")


def test_one_value_more_leaves_the_others():
    richer = TWO.having("access_token", "T")

    assert (richer.current("access_token"), richer.current("region")) == ("T", "jp")
