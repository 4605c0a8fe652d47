"""The two state machines as data: where a separation or a job may go, why, and what it does to the ledger."""

from dataclasses import dataclass
from enum import StrEnum


class SeparationState(StrEnum):
    QUEUED = "queued"
    SUBMITTING = "submitting"
    RUNNING = "running"
    UNCERTAIN = "uncertain"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobState(StrEnum):
    WAITING = "waiting"
    LEAVING = "leaving"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    LEFT = "left"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Entry(StrEnum):
    GRANT = "grant"
    PURCHASE = "purchase"
    HOLD = "hold"
    CAPTURE = "capture"
    RELEASE = "release"
    REFUND = "refund"
    TRANSFER = "transfer"  # from an account that was merged into another, and to that one


class LookupState(StrEnum):
    """A lookup costs nothing and is repeated until it is answered, so it needs no table of moves."""

    ASKED = "asked"
    ANSWERED = "answered"


class NoticeState(StrEnum):
    """A word to an operator: kept until it was said."""

    UNSAID = "unsaid"
    SAID = "said"


# Equal text makes equal StrEnum members, and MOVES holds both machines: they share no word for a state
# that can be left.
State = SeparationState | JobState

S = SeparationState
J = JobState


@dataclass(frozen=True, slots=True)
class Rule:
    why: str
    entry: Entry | None = None  # what the move writes to the ledger, in the same transaction


MOVES: dict[tuple[State, State], Rule] = {
    (S.QUEUED, S.SUBMITTING): Rule("a worker took it"),
    (S.QUEUED, S.FAILED): Rule("no upstream took it"),
    (S.QUEUED, S.CANCELLED): Rule("nobody waits for it any more"),
    (S.SUBMITTING, S.QUEUED): Rule("nothing was sent or taken"),
    (S.SUBMITTING, S.RUNNING): Rule("the upstream named a task"),
    (S.SUBMITTING, S.UNCERTAIN): Rule("sent, no usable answer"),
    (S.SUBMITTING, S.FAILED): Rule("the upstream refused it"),
    (S.UNCERTAIN, S.RUNNING): Rule("the task was found"),
    (S.UNCERTAIN, S.FAILED): Rule("not found by the deadline"),
    (S.RUNNING, S.SUCCEEDED): Rule("stem links came back"),
    (S.RUNNING, S.FAILED): Rule("the upstream gave up, or the deadline passed"),
    (J.WAITING, J.DELIVERING): Rule("stems are there"),
    (J.WAITING, J.FAILED): Rule("the separation failed", Entry.RELEASE),
    (J.WAITING, J.CANCELLED): Rule("the person withdrew", Entry.RELEASE),
    (J.WAITING, J.LEAVING): Rule("the payer withdrew, others wait"),
    (J.LEAVING, J.LEFT): Rule("it succeeded for the others", Entry.CAPTURE),
    (J.LEAVING, J.FAILED): Rule("it failed for all", Entry.RELEASE),
    (J.LEAVING, J.CANCELLED): Rule("all withdrew", Entry.RELEASE),
    (J.DELIVERING, J.DELIVERED): Rule("every part is in the chat", Entry.CAPTURE),
    (J.DELIVERING, J.FAILED): Rule("the chat or the files are gone", Entry.RELEASE),
}

OPEN_SEPARATIONS = (S.QUEUED, S.SUBMITTING, S.RUNNING, S.UNCERTAIN)
OPEN_JOBS = (J.WAITING, J.LEAVING, J.DELIVERING)
# In these the separation's price is paid, or will be if it succeeds.
PAYING_JOBS = (J.WAITING, J.LEAVING, J.DELIVERING, J.DELIVERED, J.LEFT)


def mermaid() -> str:
    """Both machines as one Mermaid state diagram; the README holds exactly this text."""
    lines = ["stateDiagram-v2"]
    for title, machine, first in (("Separation", S, S.QUEUED), ("Job", J, J.WAITING)):
        name = title.lower()
        lines += [f'    state "{title}" as {name}_machine {{', f"        [*] --> {name}_{first}"]
        lines += [f'        state "{state}" as {name}_{state}' for state in machine]
        for (old, new), rule in MOVES.items():
            if isinstance(old, machine):
                entry = f" ({rule.entry})" if rule.entry else ""
                lines.append(f"        {name}_{old} --> {name}_{new}: {rule.why}{entry}")
        ends = [state for state in machine if not any(old is state for old, _ in MOVES)]
        lines += [f"        {name}_{state} --> [*]" for state in ends]
        lines.append("    }")
    return "\n".join(lines)
