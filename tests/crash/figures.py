"""What happened in a run of random kills, in numbers."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Self

from tests.crash.driver import Driver
from tests.crash.rules import Evidence

UNCERTAIN = "was being submitted when the process ended"


@dataclass
class Figures:
    """``jobs`` by the state in which they ended; ``uncertain`` submits that a kill cut off, and how many of
    them the upstream had charged."""

    kills: int = 0
    processes: int = 0
    jobs: Counter[str] = field(default_factory=Counter)
    submits: int = 0
    uncertain: int = 0
    lost: int = 0
    double_albums: int = 0
    double_acknowledgements: int = 0
    ledgers_in_order: int = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(**{name: value + getattr(other, name) for name, value in vars(self).items()})

    def __str__(self) -> str:
        states = ", ".join(f"{count} {state}" for state, count in sorted(self.jobs.items()))
        return (
            f"{self.kills} kills, {self.processes} processes; {self.jobs.total()} jobs: {states};"
            f" {self.submits} charges; {self.uncertain} submits cut off, {self.lost} of them charged;"
            f" {self.double_albums} albums and {self.double_acknowledgements} acknowledgements twice;"
            f" {self.ledgers_in_order} ledgers in order"
        )


def figures_of(driver: Driver, evidence: Evidence, *, ledger_in_order: bool) -> Figures:
    runs = driver.town.home.runs
    return Figures(
        kills=driver.kills,
        processes=len(runs),
        jobs=Counter(job.state for job in evidence.snapshot.jobs),
        submits=driver.town.upstream.charges,
        uncertain=sum(UNCERTAIN in line for run in runs for line in run.lines),
        lost=evidence.lost_charges().total(),
        double_albums=evidence.albums - evidence.snapshot.albums_sent,
        double_acknowledgements=evidence.status_messages - len(evidence.snapshot.jobs),
        ledgers_in_order=int(ledger_in_order),
    )
