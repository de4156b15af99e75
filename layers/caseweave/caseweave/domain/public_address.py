"""Is an IP address one of the open internet's? Then nothing of ours stands behind it."""

from ipaddress import IPv6Address, ip_address, ip_network

# Both carry an IPv4 address, which a gateway would turn into a connection of its own.
_TRANSLATED = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))


def is_public(address: str) -> bool:
    """False for private, link-local, loopback, metadata, multicast and reserved addresses, for IPv6
    that wraps an IPv4 address, and for what is no address.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and (
        found.ipv4_mapped
        or found.sixtofour
        or found.teredo
        or any(found in network for network in _TRANSLATED)
    ):
        return False
    return found.is_global and not found.is_multicast and not found.is_reserved
