"""Which addresses a client's URL may lead to."""

from ipaddress import ip_network

import pytest
from photochanger_ingest.domain.address import AddressPolicy

PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "168.63.129.16",
    "100.64.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:c0a8:101::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2606:4700::5efe:a00:1",
    "2606:4700::200:5efe:7f00:1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "2001:db8::1",
    "100::1",
    "127.1",
    "2130706433",
    "localhost",
    "",
]
PUBLIC = [
    "8.8.8.8",
    "93.184.215.14",
    "2606:4700:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_nothing_is_sent_inside(address: str) -> None:
    assert not AddressPolicy().permits(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_the_public_internet_may_be_told(address: str) -> None:
    assert AddressPolicy().permits(address)


def test_an_operator_may_allow_networks_in_whatever_form_their_addresses_come() -> None:
    policy = AddressPolicy((ip_network("127.0.0.0/8"), ip_network("fd00::/8")))
    for address in ("127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1", "fd00::1", "8.8.8.8"):
        assert policy.permits(address), address
    for address in ("::1", "10.0.0.1", "fc00::1", "169.254.169.254"):
        assert not policy.permits(address), address
