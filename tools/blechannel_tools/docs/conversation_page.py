"""docs/conversation.md: the conversation table as diagrams and as rows."""

from __future__ import annotations

from collections.abc import Iterator

from blechannel.roles import Role
from blechannel.session.conversation import OVER, TABLE, TALKING, Said, State
from blechannel.wire.frames import Pair1, Reconnect1, Refuse
from blechannel_tools.docs.markdown import code, generated, table

_INTRODUCTION = """\
Who may say what, when. Both sides walk this one table, each with what it says and what it hears; what has no row is an
error: this side may not send it (`LocalProtocolError`), or the peer broke the protocol (`UnexpectedFrame`), which ends
the session. What each frame and record holds is in [wire.md](wire.md); why they come in this order is in
[protocol.md](protocol.md).

Whatever else goes wrong (a tag that does not verify, a link that is lost, a time-out) leads from any state to
`FAILED` and is not drawn.
"""

_SEQUENCES = (
    ("Pairing", Pair1, "The phone and the watch have never met, or the person pairs them anew."),
    ("Reconnecting", Reconnect1, "Both hold a bond. The phone may send data together with `Ready`."),
)


def conversation_page() -> str:
    """The whole page."""
    return "\n".join(
        [
            *generated("The conversation"),
            _INTRODUCTION,
            *_sequences(),
            "## All states",
            "",
            *code(diagram(), "mermaid"),
            *_states(),
            *_rows(),
        ]
    )


def diagram() -> Iterator[str]:
    """A mermaid state diagram of the whole table; the handshake's refusals are drawn once."""
    handshake = [state for state in State if _can_refuse(state)]
    yield "stateDiagram-v2"
    yield f"    [*] --> {State.CONNECTED.name}"
    yield '    state "handshake" as HANDSHAKE {'
    yield from (f"        {_named(state)}" for state in handshake)
    yield from (f"        {edge}" for state in handshake for edge in _edges(state, within=handshake))
    yield "    }"
    others = [state for state in State if state not in handshake]
    yield from (f"    {_named(state)}" for state in others)
    yield f"    HANDSHAKE --> {State.FAILED.name} : either says Refuse"
    outside: list[State] = [state for state in others if state is not State.FAILED]
    yield from (f"    {edge}" for state in State for edge in _edges(state, within=outside))
    yield from (f"    {state.name} --> [*]" for state in State if state in OVER)


def sequence(first: type[object]) -> Iterator[str]:
    """A mermaid sequence diagram of the handshake that the phone opens with `first`."""
    yield "sequenceDiagram"
    yield "    participant phone"
    yield "    participant watch"
    state = State.CONNECTED
    while state not in TALKING:
        # The step that goes on stands before the refusals.
        role, said = next(row for row in TABLE[state] if row[1] is first or not _opens(row[1]))
        state = TABLE[state][role, said]
        yield f"    {role.value}->>{role.peer.value}: {said.__name__}"
        yield f"    Note over phone,watch: {state.value}"


def _sequences() -> Iterator[str]:
    for title, first, when in _SEQUENCES:
        yield from (f"## {title}", "", when, "")
        yield from code(sequence(first), "mermaid")


def _opens(said: Said) -> bool:
    return said in {first for _, first, _ in _SEQUENCES}


def _can_refuse(state: State) -> bool:
    return all((role, Refuse) in TABLE[state] for role in Role)


def _named(state: State) -> str:
    return f'state "{state.value}" as {state.name}'


def _edges(state: State, *, within: list[State]) -> Iterator[str]:
    for following, who, said in _grouped(state):
        if following in within:
            yield f"{state.name} --> {following.name} : {who} says {', '.join(said)}"


def _grouped(state: State) -> Iterator[tuple[State, str, list[str]]]:
    """The rows of a state, those together that lead from the same side to the same state."""
    speakers: dict[tuple[Said, State], list[str]] = {}
    for (role, said), following in TABLE[state].items():
        speakers.setdefault((said, following), []).append(role.value)
    groups: dict[tuple[State, str], list[str]] = {}
    for (said, following), roles in speakers.items():
        groups.setdefault((following, "either" if len(roles) > 1 else roles[0]), []).append(said.__name__)
    for (following, who), names in groups.items():
        yield following, who, names


def _states() -> list[str]:
    return ["## States", "", *table(["state", "what is known"], [(f"`{state.name}`", state.value) for state in State])]


def _rows() -> list[str]:
    rows = [
        (f"`{state.name}`", who, ", ".join(f"`{name}`" for name in said), f"`{following.name}`")
        for state in State
        for following, who, said in _grouped(state)
    ]
    return ["## Rows", "", *table(["state", "who", "says", "then"], rows)]
