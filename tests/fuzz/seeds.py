"""Writes the corpus's first inputs from real values and real conversations: `python -m tests.fuzz.seeds`."""

from __future__ import annotations

from hashlib import sha256

from blechannel.codec import encode
from blechannel.delivery import frames as delivery
from blechannel.oob import ndef
from blechannel.pairing.attestation import attest
from blechannel.pairing.out_of_band import AddressKind, RadioAddress, Ticket
from blechannel.roles import Role
from blechannel.transports.tcp.greeting import Answer, PhoneGreeting, Purpose, WatchGreeting
from blechannel.wire.adverts import make_advert
from blechannel.wire.frames import encode_frame
from gatt_profiles.tunnel import Act, Kind, Reply, Request
from tests.fuzz.decoders import KEY
from tests.fuzz.sessions import the_world
from tests.fuzz.streams import PATTERNS, _noise_pair
from tests.fuzz.targets import CORPUS
from tests.gatt_profiles.golden import GOLDEN, KINDS
from tests.noise.live import run
from tests.pairing.made_certificates import AT_S, LEAF_KEY, Held, certificate
from tests.session.middle import Middle
from tests.session.sides import World
from tests.wire.frozen import ALL, FRAMES, RECORDS
from tests.wire.strategies import DECLARED


def u16(number: int) -> bytes:
    return number.to_bytes(2, "big")


def _values() -> dict[str, list[bytes]]:
    ticket = Ticket.of(KEY, secret=KEY)
    placed = Ticket.of(KEY, secret=KEY, where=RadioAddress(bytes(range(6)), AddressKind.RANDOM))
    leaf = certificate()
    held = attest(Held((leaf,), LEAF_KEY), role=Role.PHONE, handshake_hash=KEY)
    adverts = [(opened, at_s) for opened in (False, True) for at_s in (None, AT_S)]
    return {
        "frame": [encode_frame(each.value) for each in FRAMES],  # type: ignore[arg-type]
        "declared": [bytes([DECLARED.index(type(each.value))]) + encode(each.value) for each in ALL],
        "advert": [make_advert(KEY, pairing_open=opened, random=bytes, unix_time_s=at_s) for opened, at_s in adverts],
        "ticket": [each for one in (ticket, placed) for each in (one.encode(), ndef.encode(one))],
        "attestation": [held.encode()],
        # The second was found here: its name is a bit string.
        "certificate": [leaf, leaf.replace(b"\x0c\x04leaf", b"\x03\x04\0eaf")],
        "greeting": [
            PhoneGreeting(Purpose.LINK, 244).encode(),
            WatchGreeting(Answer.WELCOME, 244, bytes(13)).encode(),
        ],
        "profile": [
            *(bytes([KINDS.index(type(value))]) + bytes.fromhex(golden) for golden, value in GOLDEN),
            bytes([len(KINDS)]) + encode(Request(Act.WRITE, 7, KEY[:16], b"value")),
            bytes([len(KINDS) + 1]) + encode(Reply(Kind.NOTIFIED, 0, KEY[:16], b"value")),
        ],
    }


def _streams() -> dict[str, list[bytes]]:
    greeting = PhoneGreeting(Purpose.LINK, 244).encode()
    pieces = [u16(len(each) + 2) + u16(len(each)) + each for each in (greeting, b"fragment", bytes(512))]
    noise = []
    for number, pattern in enumerate(PATTERNS):
        messages = run(*_noise_pair(pattern).sides())
        noise += [bytes([number, turn]) + message for turn, message in enumerate(messages)]
    whole = b"\x17\x00\x03abc"
    return {
        "tcp": [pieces[0], b"".join(pieces)],
        "noise": noise,
        "fragments": [
            b"\xff\xe0\x3e" + b"\x01" + bytes([len(whole) - 1]) + whole + b"\0",
            b"\xff\xe0\x3e" + b"\x01\x03\x17\x00\x06a\0\x02\x04bcdef\0\x05\x04\x01\0\x06\xff",
            b"\x00\x00\x00\x05\x06\x30\x06\x30\x07\x10\x10\x00\x00\x00\x03\x00\x00\x01",
        ],
    }


def _conversations() -> dict[str, list[bytes]]:
    """Each side's half of a pairing and of a reconnect, to be said to the other side again."""
    found: dict[str, list[bytes]] = {"phone": [], "watch": []}
    for bonded in (False, True):
        world: World = the_world(bonded=bonded)
        middle = Middle(*(world.reconnecting() if bonded else world.pairing()))
        middle.run()
        for role, name in ((Role.WATCH, "phone"), (Role.PHONE, "watch")):
            said = [frame for sender, frame in middle.seen if sender is role]
            steps = [b"\x03" + frame[:1] + u16(len(frame) - 3) + frame[3:] for frame in said]
            found[name].append(bytes([bonded]) + b"".join(steps))
    lies = [b"\x02" + bytes([each.number or 0]) + u16(len(each.body)) + each.body for each in RECORDS]
    talk = [
        b"\x02\x05\x00\x07\x00\x00\x04echo",
        b"\x02\x06\x00\x04\x00\x00hi",
        b"\x01\x00\x00\x02",
        b"\x02\x08\x00\x02\x00\x00",
    ]
    found["traffic"] = [bytes([who]) + lie for who in (0, 1) for lie in lies]
    found["traffic"] += [b"\x00" + b"".join(talk), b"\x01\x00\x04echo\x02\x07\x00\x06\x00\x00\x00\x00\x00\x00"]
    found["store"] = [b"\x00", b"\x10\x00", b"\x00\x00\x12\x01\x02\x02", b"\x00\x10\x00\x0f" + bytes(16), b"\xffx"]
    return found


def _deliveries() -> dict[str, list[bytes]]:
    """A peer that sends, one that takes, and each frame alone."""

    def hears(frame: delivery.Frame) -> bytes:
        message = delivery.encode_frame(frame)
        return b"\x07" + bytes([len(message)]) + message

    parts = [delivery.Part(1, 0, 3, 0, b"one"), delivery.Part(2, 0, 6, 0, b"two"), delivery.Part(2, 0, 6, 3, b"two")]
    sends = hears(delivery.Begin(KEY[:16])) + b"\1\1" + b"\1".join(map(hears, parts)) + b"\1\1\3\3"
    answers = (delivery.Resume(0, 0, 0, 8, 512), delivery.Stored(0, 1, 64, 8, 512), delivery.Stored(1, 0, 0, 8, 512))
    takes = b"\4\x80" + hears(answers[0]) + b"\5\2\2" + b"\1".join(map(hears, answers[1:]))
    refuses = b"\4\x08" + hears(delivery.Refused(delivery.Fault.TOO_LARGE, 1)) + b"\1\4\1"
    full = b"\0" + sends + b"\0" + sends
    alone: list[delivery.Frame] = [*parts, *answers, delivery.Welcome(delivery.Recognition.NEW)]
    frames = [delivery.encode_frame(each) for each in alone]
    return {"delivery": [sends, takes, refuses, full, *frames]}


def main() -> None:
    for name, seeds in {**_values(), **_streams(), **_conversations(), **_deliveries()}.items():
        folder = CORPUS / name
        folder.mkdir(parents=True, exist_ok=True)
        for seed in seeds:
            (folder / sha256(seed).hexdigest()[:16]).write_bytes(seed)


if __name__ == "__main__":
    main()
