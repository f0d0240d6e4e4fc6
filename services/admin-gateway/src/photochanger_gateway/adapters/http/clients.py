"""Who a client is, for rate limits: its address, or its network where one subscriber has many addresses."""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from starlette.requests import Request

_IPV6_SUBSCRIBER_BITS = 64


@dataclass(frozen=True, slots=True)
class ClientAddress:
    """Reads a client's address. Forwarded addresses were judged by the HTTP server (TRUSTED_PROXIES)."""

    def of(self, request: Request) -> str:
        """The IPv4 address, or the /64 network of an IPv6 address."""
        host = request.client.host if request.client is not None else "unknown"
        try:
            address = ip_address(host)
        except ValueError:
            return host
        if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
            return str(ip_network((address, _IPV6_SUBSCRIBER_BITS), strict=False))
        return str(getattr(address, "ipv4_mapped", None) or address)
