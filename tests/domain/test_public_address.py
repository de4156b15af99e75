import pytest

from caseweave.domain.public_address import is_public


@pytest.mark.parametrize(
    "address",
    ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "149.154.167.220"],
)
def test_the_open_internet_is_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        # the metadata service of EC2 and the credentials of ECS
        "169.254.169.254",
        "169.254.170.2",
        "fd00:ec2::254",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "2001:db8::1",
        # IPv4 in disguise
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "2002:7f00:1::",
        "2001:0:7f00:1::1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a9fe:a9fe",
        "",
        "localhost",
        "127.1",
        "2130706433",
    ],
)
def test_everything_else_is_not(address):
    assert not is_public(address)
