"""A process that can die at any boundary, and the database whose COMMITs are such boundaries."""

from collections.abc import Callable
from contextlib import asynccontextmanager

from storage.database import Database


class Killed(BaseException):
    """The process ends here. No ``except Exception`` can swallow it."""


class Boundaries:
    """Counts where a process can die, and dies at one of them; a dead process does nothing more."""

    def __init__(self, fatal: int | None = None) -> None:
        self.passed: list[str] = []
        self.fatal, self.dead = fatal, False

    def __call__(self, name: str) -> None:
        if not self.dead:
            self.passed.append(name)
            self.dead = len(self.passed) == self.fatal
        if self.dead:
            raise Killed(name)


class MortalDatabase(Database):
    """Every COMMIT of something has a boundary before and after it; ``broken`` makes it fail instead.

    PostgreSQL does not tell whether anything was written: there every COMMIT counts.
    """

    boundary: Callable[[str], None] = staticmethod(lambda _: None)
    broken: Exception | None = None
    failures = 0

    @asynccontextmanager
    async def transaction(self):
        async with super().transaction() as db:
            connection = (await db.get_raw_connection()).driver_connection
            before = connection.total_changes if self.embedded else None
            yield db
            if wrote := not self.embedded or connection.total_changes != before:
                self.boundary("before COMMIT")
                if self.broken:
                    self.failures += 1
                    raise self.broken
        if wrote:
            self.boundary("after COMMIT")
