"""What is not the public web: addresses, names and ports.

Addresses by IANA's special-purpose registries (iana.org/assignments/iana-ipv4-special-registry and
iana-ipv6-special-registry). Python's `is_global` is not used: what it says has changed within 3.11.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address

# 168.63.129.16 is the host below every machine of Azure; 192.88.99.0/24 was 6to4's relay.
BLOCKS_4 = """0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12
192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24
224.0.0.0/4 240.0.0.0/4"""
# Only 2000::/3 is global unicast: that leaves out ::1, IPv4-mapped and -compatible addresses, NAT64, unique
# local, link-local, site-local and multicast ones. Within it: IETF protocols (Teredo, ORCHID, benchmarks),
# documentation, 6to4, the old 6bone.
BLOCKS_6 = "2001::/23 2001:db8::/32 2002::/16 3ffe::/16 3fff::/20"
TOPS = """localhost localdomain local internal intranet lan corp home private arpa test invalid example onion
alt metadata.goog"""
# https://fetch.spec.whatwg.org/#bad-port
BAD = """0 1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113 115
117 119 123 135 137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 548 554 556 563 587 601
636 989 990 993 995 1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 6566 6665 6666 6667 6668 6669 6679
6697 10080"""
ALSO_BAD = "445 1433 1521 3306 3389 5432 5900 6379 11211 27017"  # shares, databases, caches, desktops

CLOSED_4 = tuple(map(IPv4Network, BLOCKS_4.split()))
OPEN_6, CLOSED_6 = IPv6Network("2000::/3"), tuple(map(IPv6Network, BLOCKS_6.split()))
CLOSED_NAMES = tuple(f".{name}" for name in TOPS.split())
CLOSED_PORTS = frozenset(map(int, f"{BAD} {ALSO_BAD}".split()))


def public(address: str) -> bool:
    """Can an IP address be reached by everybody? One with a zone (fe80::1%eth0) cannot."""
    ip = ip_address(address)
    if isinstance(ip, IPv4Address):
        return not any(ip in block for block in CLOSED_4)
    return "%" not in address and ip in OPEN_6 and not any(ip in block for block in CLOSED_6)


def public_name(host: str) -> bool:
    """Is a host's name, in lower case, none that stands for a machine nearby?"""
    return not f".{host}".endswith(CLOSED_NAMES)
