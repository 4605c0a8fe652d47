"""What a provider may raise; the class says what the caller may do next.

ProviderError           the upstream did not do what it was asked; str() of it is safe to log and to show
├── Unavailable         nothing was taken: the same request may go out again later
│   ├── TooFast         ... not before ``wait_s`` seconds, if the upstream named them
│   └── TaskUnknown     ... a look only: it knows no such task, which is usual right after the submit
├── OutcomeUnknown      it went out, no usable answer came: it may have been charged
├── Rejected            this song or mode will never work here: tell the person
│   └── SongUnknown     ... because this upstream does not know the song: another one may
└── Misconfigured       our key or set-up there: tell the operator, use another upstream
    └── NoCredits       ... our balance there is used up
"""


class ProviderError(Exception):
    """The upstream did not do what it was asked."""


class Unavailable(ProviderError):
    """Nothing was taken: the same request may go out again later."""


class TooFast(Unavailable):
    """Refused for its rate, not charged. ``wait_s`` is what the upstream asked for, None if nothing."""

    def __init__(self, message: str, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class TaskUnknown(Unavailable):
    """The upstream knows no such task. Usual right after a submit, final where it stays so."""


class OutcomeUnknown(ProviderError):
    """It went out, no usable answer came: it may have been charged."""


class Rejected(ProviderError):
    """This song or mode will never work here."""


class SongUnknown(Rejected):
    """This upstream does not know the song; another one may."""


class Misconfigured(ProviderError):
    """Our key, our allow-list or our address: only the operator can mend it."""


class NoCredits(Misconfigured):
    """The operator's balance at the upstream is used up."""
