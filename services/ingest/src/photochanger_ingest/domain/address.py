"""Which IP addresses a client's URL may lead to."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64: Final = ip_network("64:ff9b::/96")
# Public by its number, answered by the machine's own host: https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
_OF_THE_HOST: Final = frozenset({IPv4Address("168.63.129.16")})
_ISATAP: Final = frozenset({0x0000_5EFE, 0x0200_5EFE})
_LOW_32: Final = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Permits the addresses of the public Internet, and the networks an operator allows beside them."""

    allowed: tuple[Network, ...] = ()

    def permits(self, text: str) -> bool:
        """Tells whether something may be sent to an address. What is no address is not permitted.

        An IPv6 address that carries an IPv4 one (mapped, 6to4, NAT64, ISATAP) leads there, so both have to be
        permitted; a mapped one is nothing but the IPv4 address.
        """
        try:
            address = ip_address(text.partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, IPv6Address):
            if address.ipv4_mapped is not None:
                return self._permits(address.ipv4_mapped)
            carried = _carried_by(address)
            if carried is not None and not self._permits(carried):
                return False
        return self._permits(address)

    def _permits(self, address: Address) -> bool:
        return _is_public(address) or any(
            address.version == network.version and address in network for network in self.allowed
        )


def _is_public(address: Address) -> bool:
    if address in _NAT64:
        return True  # as public as what it carries
    odd = (
        address.is_multicast
        or address.is_reserved
        or address.is_loopback
        or address.is_link_local
        or address.is_unspecified
        or (isinstance(address, IPv6Address) and address.is_site_local)
    )
    return address.is_global and not odd and address not in _OF_THE_HOST


def _carried_by(address: IPv6Address) -> IPv4Address | None:
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    number = int(address)
    if address in _NAT64 or (number >> 32) & _LOW_32 in _ISATAP:
        return IPv4Address(number & _LOW_32)
    return None
