"""What follows from what an upstream said: pure decisions about a separation."""

from dataclasses import dataclass

from providers.base import Failed, Progress, Running, Succeeded
from providers.errors import (
    Misconfigured,
    NoCredits,
    OutcomeUnknown,
    ProviderError,
    SongUnknown,
    TaskUnknown,
    TooFast,
    Unavailable,
)
from storage.rows import Separation
from storage.states import SeparationState

S = SeparationState

LONGEST_LOOK_S = 30.0
LONGEST_BACKOFF_S = 60.0
# An upstream that does not know its task yet is usual right after the submit; later it is final.
TASK_UNKNOWN_LOOKS = 5


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to look, and for how long; seconds."""

    look_first_s: float = 15.0
    look_every_s: float = 10.0

    def look_again_s(self, age_s: float) -> float:
        """The longer a task runs, the less a second matters: the wait grows towards half a minute."""
        return min(self.look_every_s + age_s / 10, max(LONGEST_LOOK_S, self.look_every_s))

    @staticmethod
    def backoff_s(failures: int) -> float:
        return float(min(2.0**failures, LONGEST_BACKOFF_S))


@dataclass(frozen=True, slots=True)
class Move:
    to: SeparationState
    why: str | None = None
    due_in_s: float | None = None
    upstream_task_id: str | None = None
    found: Succeeded | None = None
    provider: str | None = None  # another upstream gets it now; ``why`` is then why not this one
    by_audio_id: bool = False  # ``provider`` gets it without the task id, which nobody knew


@dataclass(frozen=True, slots=True)
class Snooze:
    """Nothing moved: come back in ``seconds``; ``failed`` where the upstream could not be read."""

    seconds: float
    failed: bool = False
    provider: str | None = None
    why: str | None = None


Decision = Move | Snooze

TOO_LATE = "it took too long"
NOT_FOUND = "the upstream's answer was lost, and no trace of the work was found there"
NO_MORE_NOW = "takes no more orders for now"
NOT_CHARGED = "the order was lost on its way: the upstream has charged nothing for it"

RETRIES = 2  # after that another upstream gets it
TOO_FAST_RETRIES = 5  # half a minute together: one that only has many orders takes it by then
PATIENCE_S = 60.0  # who asks to be left alone for longer is left for another, too
# By then an upstream has booked what it took, so that an unchanged balance speaks for itself.
BOOKED_AFTER_S = 90.0


def before_submit(
    separation: Separation,
    *,
    now: float,
    wait_s: float = 0.0,
    is_down: bool = False,
    next_provider: str | None = None,
    title: str = "the upstream",
) -> Decision:
    """Whether a queued separation may go out: ``wait_s`` is for how long its upstream takes nothing."""
    if now >= separation.deadline_at:
        # One that waited past its deadline is not bought any more.
        return Move(S.FAILED, TOO_LATE)
    if is_down and next_provider:
        return Snooze(0.0, provider=next_provider, why=f"{title} is not working")
    if wait_s > PATIENCE_S and next_provider:
        return Snooze(0.0, provider=next_provider, why=f"{title} {NO_MORE_NOW}")
    return Snooze(min(wait_s, separation.deadline_at - now)) if wait_s else Move(S.SUBMITTING)


def after_submit(
    separation: Separation,
    outcome: str | ProviderError,
    *,
    now: float,
    pace: Pace,
    next_provider: str | None = None,
    by_audio_id: str | None = None,
    title: str = "the upstream",
) -> Move:
    """``outcome`` is the upstream_task_id, or why there is none; ``next_provider`` the one to move on to,
    ``by_audio_id`` the one that takes the song without its task id, as when that has expired."""
    match outcome:
        case str(upstream_task_id):
            return Move(S.RUNNING, upstream_task_id=upstream_task_id, due_in_s=pace.look_first_s)
        case OutcomeUnknown():
            # A second submit may be charged a second time, so only a person may ask for it.
            return Move(S.UNCERTAIN, str(outcome), due_in_s=pace.look_every_s)
        case SongUnknown() | Misconfigured() if next_provider:
            return Move(S.QUEUED, in_plain_words(outcome, title), due_in_s=0.0, provider=next_provider)
        case SongUnknown() if by_audio_id:
            return Move(S.QUEUED, str(outcome), due_in_s=0.0, provider=by_audio_id, by_audio_id=True)
        case Unavailable() if next_provider and _is_enough(separation, outcome):
            return Move(S.QUEUED, in_plain_words(outcome, title), due_in_s=0.0, provider=next_provider)
        case Unavailable() if now < separation.deadline_at:
            return Move(S.QUEUED, str(outcome), due_in_s=_wait_s(separation, outcome, pace))
        case _:
            return Move(S.FAILED, _all_reasons(separation, in_plain_words(outcome, title)))


def before_look(separation: Separation, *, now: float, pause_s: float) -> Snooze | None:
    """An upstream that asked to be left alone is; only the last look, at the deadline, does not wait."""
    wait_s = min(pause_s, separation.deadline_at - now)
    return Snooze(wait_s) if wait_s > 0 else None


def after_look(
    separation: Separation,
    outcome: Progress | ProviderError,
    *,
    now: float,
    pace: Pace,
    title: str = "the upstream",
) -> Decision:
    match outcome:
        case Succeeded():
            return Move(S.SUCCEEDED, found=outcome)
        case Failed(why):
            return Move(S.FAILED, f"{title} could not separate this song ({why.rstrip('.')})")
        case Running(so_far=Succeeded() as found) if now >= separation.deadline_at:
            return Move(S.SUCCEEDED, found=found)  # better without what never came than nothing
        case _ if now >= separation.deadline_at:
            return Move(S.FAILED, TOO_LATE)
        case Running():
            return _snooze(separation, pace.look_again_s(now - separation.created_at), now=now)
        case TaskUnknown() if separation.failures >= TASK_UNKNOWN_LOOKS:
            return Move(S.FAILED, f"{title} knows nothing of this order any more")
        case _:
            return _snooze(separation, _wait_s(separation, outcome, pace), now=now, failed=True)


def after_find(
    separation: Separation,
    outcome: str | ProviderError | None,
    *,
    now: float,
    pace: Pace,
    credits_now: float | None = None,
) -> Decision:
    """Of an uncertain submit: ``outcome`` is its upstream_task_id, None where no trace was found yet.

    ``credits_now`` is the balance there, given only where nothing else of ours can have changed it.
    """
    match outcome:
        case str(upstream_task_id):
            return Move(S.RUNNING, upstream_task_id=upstream_task_id, due_in_s=0.0)
        case _ if now >= separation.deadline_at:
            return Move(S.FAILED, NOT_FOUND)
        case _ if credits_now is not None and credits_now == separation.credits_before:
            return Move(S.FAILED, NOT_CHARGED)
        case _:
            return _snooze(separation, pace.look_again_s(now - separation.created_at), now=now)


def _is_enough(separation: Separation, refusal: Unavailable) -> bool:
    """Whether it was tried often enough where nothing was taken, or would have to wait for too long."""
    if isinstance(refusal, TooFast):
        return (refusal.wait_s or 0.0) > PATIENCE_S or separation.failures >= TOO_FAST_RETRIES
    return separation.failures >= RETRIES


def overdue(separation: Separation) -> Move:
    """Of one that nobody has looked at until long after its deadline."""
    return Move(S.FAILED, NOT_FOUND if separation.state is S.UNCERTAIN else TOO_LATE)


def in_plain_words(error: ProviderError, title: str) -> str:
    """Why a submit was not taken, for the person who asked."""
    match error:
        case SongUnknown():
            return f"{title} does not know this song or can't get at it"
        case NoCredits():
            return f"this bot's own credits at {title} are used up (its operator has been told)"
        case Misconfigured():
            return f"{title} refused this bot's access (its operator has been told)"
        case TooFast():
            return f"{title} {NO_MORE_NOW}"
        case Unavailable():
            return f"{title} could not be reached"
        case _:
            return f"{title} refused it: {error}"


def _all_reasons(separation: Separation, last: str) -> str:
    first, *others = dict.fromkeys([*separation.tried.values(), last])
    if not others:
        return first
    which = "another upstream" if len(others) == 1 else f"{len(others)} other upstreams"
    return f"{first}, and {which} could not do it either"


def _snooze(separation: Separation, seconds: float, *, now: float, failed: bool = False) -> Snooze:
    # The last look comes at the deadline, not a wait after it.
    return Snooze(min(seconds, max(separation.deadline_at - now, 0.0)), failed)


def _wait_s(separation: Separation, error: ProviderError, pace: Pace) -> float:
    asked = error.wait_s if isinstance(error, TooFast) else None
    return max(asked or 0.0, pace.backoff_s(separation.failures))
