"""Which addresses and names are public, at the edges of every block."""

from ipaddress import ip_network

import pytest

from openflywheel.collect._web import ranges
from openflywheel.collect._web.ranges import public, public_name


@pytest.mark.parametrize("block", [*ranges.BLOCKS_4.split(), *ranges.BLOCKS_6.split()])
def test_a_block_is_closed_from_its_first_to_its_last_address(block):
    network = ip_network(block)
    assert not public(str(network[0]))
    assert not public(str(network[-1]))


@pytest.mark.parametrize(
    "address",
    [
        *(
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "93.184.215.14",
            "100.63.255.255",
            "100.128.0.0",
        ),
        *("100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255"),
        *("172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255"),
        *("2606:4700::1111", "2001:200::", "2a00:1450:4001:80b::200e", "2400:cb00::1", "2003::1"),
    ],
)
def test_what_lies_beside_the_blocks_is_public(address):
    assert public(address)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "::8.8.8.8",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "fc00::1",
        ),
        *(
            "fdff::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "ff0e::1",
            "4000::1",
            "5f00::1",
            "fe80::1%2",
        ),
        *("fe80::1%2", "2001::1", "2001:2::1", "2001:10::1", "2606:4700::1111%eth0"),
    ],
)
def test_ipv6_is_public_only_where_it_is_global_unicast(address):
    assert not public(address)


def test_a_word_that_is_no_address_is_an_error_not_public():
    with pytest.raises(ValueError, match="does not appear"):
        public("example.com")


@pytest.mark.parametrize("name", ["localhost", "a.localhost", "x.y.internal", "metadata.goog", "a.home.arpa"])
def test_names_of_machines_nearby_are_not_public(name):
    assert not public_name(name)


@pytest.mark.parametrize("name", ["example.com", "local.example.com", "mylocalhost.com", "internal.dev"])
def test_names_that_only_look_like_them_are(name):
    assert public_name(name)


def test_the_ports_of_the_web_are_open_and_those_of_mail_shells_and_databases_closed():
    assert ranges.CLOSED_PORTS.isdisjoint({80, 443, 3000, 5000, 8000, 8080, 8443, 8888, 9200, 49152})
    assert {
        22,
        23,
        25,
        53,
        110,
        143,
        445,
        587,
        3306,
        5432,
        6000,
        6379,
        6667,
        11211,
        27017,
    } <= ranges.CLOSED_PORTS
