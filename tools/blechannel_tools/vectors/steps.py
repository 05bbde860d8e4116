"""Every value on the way from what the sides drew to the keys, computed again as the phone computes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from blechannel.codec import decode, encode
from blechannel.methods import Method
from blechannel.noise import DH_25519, HandshakeState, Keys, Transport
from blechannel.pairing import keys
from blechannel.pairing.bonds import Epoch
from blechannel.pairing.cpace import CPace, calculate_generator
from blechannel.roles import Role
from blechannel.wire.frames import Pair1, Pair2, PairAnswer, PairProof, PairShare, Reconnect1, Reconnect2
from blechannel.wire.header import FRAME_HEADER_BYTES
from blechannel_tools.vectors.run import Run, Said

F = TypeVar("F")

Steps = dict[str, bytes]
"""Values by name, in the order in which they come about."""


@dataclass(frozen=True)
class Computed:
    """A handshake's values, and what it leaves."""

    steps: Steps
    transport: Transport
    epoch: Epoch


def pairing_steps(run: Run) -> Computed:
    """From INFO to epoch 0."""
    drawn = run.drawn[Role.PHONE]
    info, hello = run.pairing[0][1], _frame(run.pairing, 1, Pair1).hello
    prologue = keys.prologue(keys.PAIR_LABEL, info, hello)
    own = {name: DH_25519.key_pair(drawn[f"pairing: {name} key"]) for name in ("static", "ephemeral")}
    noise = HandshakeState(
        keys.PAIR_PROTOCOL,
        initiator=True,
        random=bytes,
        prologue=prologue,
        keys=Keys(s=own["static"], e=own["ephemeral"]),
    )
    steps: Steps = {"prologue": prologue}
    cpace = _cpace(run, info, own["ephemeral"].public, steps)
    noise.write_message(encode(PairShare(cpace.share, b"")))
    answer = decode(PairAnswer, noise.read_message(_frame(run.pairing, 2, Pair2).noise))
    steps |= {"Yb": answer.share, "ISK": cpace.derive(answer.share, initiator=True), "h after m2": noise.handshake_hash}
    steps["psk"] = keys.pairing_psk(steps["h after m2"], steps["ISK"], Method.PASSKEY)
    noise.set_psk(keys.PAIR_PSK, steps["psk"])
    noise.write_message(encode(PairProof(drawn["n_I"], 0)))
    return _finish(steps, noise.split(), number=0)


def reconnect_steps(run: Run) -> Computed:
    """From INFO to epoch 1."""
    bond = run.after_pairing[Role.PHONE]
    info, opening = run.reconnect[0][1], _frame(run.reconnect, 1, Reconnect1)
    prologue = keys.prologue(keys.RECONNECT_LABEL, info, opening.hello)
    own = Keys(
        s=DH_25519.key_pair(bond.own_static),
        e=DH_25519.key_pair(run.drawn[Role.PHONE]["reconnect: ephemeral key"]),
        rs=bond.peer_static,
        psks={keys.RECONNECT_PSK: bond.epoch.psk},
    )
    noise = HandshakeState(keys.RECONNECT_PROTOCOL, initiator=True, random=bytes, prologue=prologue, keys=own)
    message = noise.write_message()
    steps = {"prologue": prologue, "tag": keys.hint_tag(bond.epoch.hint_key, prologue, message)}
    noise.read_message(_frame(run.reconnect, 2, Reconnect2).noise)
    return _finish({**steps, "psk": bond.epoch.psk}, noise.split(), number=1)


def _cpace(run: Run, info: bytes, ephemeral: bytes, steps: Steps) -> CPace:
    scalar = run.drawn[Role.PHONE]["pairing: CPace scalar"]
    prs, ci, sid = run.code.encode(), keys.CHANNEL_IDENTIFIER, keys.cpace_sid(info, ephemeral)
    cpace = CPace(prs=prs, ci=ci, sid=sid, random=lambda _: scalar)
    generator = calculate_generator(prs=prs, ci=ci, sid=sid)
    steps |= {"PRS": prs, "CI": ci, "sid": sid, "generator g": generator, "Ya": cpace.share}
    return cpace


def _finish(steps: Steps, transport: Transport, *, number: int) -> Computed:
    epoch = keys.next_epoch(
        number, psk=steps["psk"], exporter=transport.exporter, handshake_hash=transport.handshake_hash
    )
    return Computed(
        steps
        | {
            "handshake hash h": transport.handshake_hash,
            "records, phone → watch": transport.send.k,
            "records, watch → phone": transport.receive.k,
            "exporter": transport.exporter,
            f"epoch {number}: bond_psk": epoch.psk,
            f"epoch {number}: hint_key": epoch.hint_key,
        },
        transport,
        epoch,
    )


def _frame(said: Said, index: int, cls: type[F]) -> F:
    return decode(cls, said[index][1][FRAME_HEADER_BYTES:])
