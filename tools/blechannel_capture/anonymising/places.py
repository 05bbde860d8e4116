"""Where HCI has addresses, keys and names: the Core Specification, Vol 4 Part E, 7.1, 7.3, 7.7 and 7.8.

Offsets are into a command's parameters, an event's, or those of an LE meta event with its subevent code first.
Addresses have 6 bytes; other spans have both ends.
"""

from __future__ import annotations

from typing import Final

Spans = tuple[tuple[int, int], ...]

COMMAND_ADDRESSES: Final[dict[int, tuple[int, ...]]] = {
    **dict.fromkeys((0x0405, 0x0408, 0x0409, 0x040A, 0x040B, 0x040C, 0x040D, 0x040E, 0x0419, 0x041A), (0,)),
    **dict.fromkeys((0x042B, 0x042C, 0x042D, 0x042E, 0x042F, 0x0430, 0x0433, 0x0434, 0x0445), (0,)),
    **dict.fromkeys((0x2011, 0x2012, 0x2027, 0x2028, 0x2029, 0x202B, 0x202C, 0x2035, 0x204E), (1,)),
    0x2005: (0,),
    0x2006: (7,),
    0x200D: (6,),
    0x2036: (10,),
    0x2043: (3,),
    0x2044: (2,),
    0x0C12: (0,),
}
COMMAND_SECRETS: Final[dict[int, Spans]] = {
    0x040B: ((6, 22),),  # link key
    0x040D: ((6, 23),),  # PIN
    0x0430: ((6, 38),),
    0x0445: ((6, 70),),
    0x0C11: ((1, 255),),  # stored link keys, with the addresses that they belong to
    0x2019: ((2, 28),),  # random number and diversifier, which name a bond, and its key
    0x201A: ((2, 18),),
    0x2027: ((7, 39),),  # identity resolving keys
    0x0C13: ((0, 248),),  # the host's name
}
COMMAND_ADVERTS: Final = {0x2008: 1, 0x2009: 1, 0x2037: 4, 0x2038: 4, 0x203F: 3, 0x0C52: 1}
"""Where AD structures begin."""
EVENT_ADDRESSES: Final[dict[int, tuple[int, ...]]] = {
    **dict.fromkeys((0x04, 0x16, 0x17, 0x18, 0x31, 0x32, 0x33, 0x34, 0x35, 0x3B, 0x3C), (0,)),
    0x02: (1,),
    0x03: (3,),
    0x07: (1,),
    0x12: (1,),
    0x22: (1,),
    0x2F: (1,),
    0x36: (1,),
    0x15: (1,),
}
EVENT_SECRETS: Final[dict[int, Spans]] = {0x07: ((7, 255),), 0x15: ((7, 23),), 0x18: ((6, 22),), 0x33: ((6, 10),)}
EXTENDED_INQUIRY, EXTENDED_INQUIRY_DATA = 0x2F, 15
META_ADDRESSES: Final[dict[int, tuple[int, ...]]] = {
    0x01: (6,),
    0x0A: (6, 12, 18),
    0x29: (6, 12, 18),
    0x0E: (6,),
    0x13: (2,),
    0x18: (10,),
}
META_SECRETS: Final[dict[int, Spans]] = {
    0x05: ((3, 13),),  # random number and diversifier
    0x09: ((2, 34),),  # a Diffie-Hellman result, of which the link's key is made
}
RESULT_ADDRESSES: Final = frozenset({0x1009, 0x202B, 0x202C})
"""Commands whose result is a status and an address."""
RESULT_SECRETS: Final = frozenset({0x0C14, 0x0C51, 0x0C57, 0x0C7D, 0x0C0D})
"""Commands whose result is the host's name, its extended inquiry response, or a secret."""
