"""What every stand-in has: songs, tasks, a balance that each submit is charged to, faults, a stem host."""

import sys
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, NamedTuple

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from sandbox.songs import Refusal, Song
from sandbox.upstreams import covers, faults, files
from sandbox.upstreams.callbacks import Callbacks
from sandbox.upstreams.faults import Fault, Faults, Place
from sandbox.upstreams.tasks import Clock, Mode, Submit, Task, Tasks

Work = Callable[[Request], Awaitable[Response]]
PRICES: dict[Mode, float] = {"basic": 10, "full": 50}


class Rate(NamedTuple):
    """So many submits in so many seconds."""

    submits: int
    per_s: float


UNLIMITED = Rate(sys.maxsize, 1.0)


class Refused(Exception):
    """The request is not served; the stand-in's own codes and words go out."""

    def __init__(self, refusal: Refusal, detail: str = "") -> None:
        super().__init__(detail or refusal.value)
        self.refusal, self.detail = refusal, detail


class Upstream(ABC):
    """One brand. ``app`` serves its API at its own paths, and its stems at ``/files``; ``base_files_url`` is
    where the outside reaches those."""

    name: ClassVar[str]
    usual_rate: ClassVar[Rate] = UNLIMITED

    def __init__(
        self,
        base_files_url: str,
        key: str = "sandbox-key",
        balance: float = 1000,
        finish_after_s: float = 3.0,
        clock: Clock = time.time,
        *,
        rate: Rate | None = None,
    ) -> None:
        self.base_files_url, self.key, self.balance = base_files_url.rstrip("/"), key, balance
        self.prices = dict(PRICES)
        self.submits: list[Submit] = []
        self.looks = 0
        self.clock = clock
        self.callbacks = Callbacks()
        self.tasks = Tasks(finish_after_s, clock, self.on_done)
        self.rate = rate or self.usual_rate
        self._recent: deque[float] = deque()
        self._faults = Faults()
        self.app = self._build()

    @property
    def charges(self) -> int:
        """How many submits were charged: every accepted one, a repeated one too."""
        return len(self.submits)

    def finish(self, task_id: str | None = None) -> None:
        """Finish this task now, or every running one; a callback follows."""
        self.tasks.finish(task_id)

    def hold(self) -> None:
        """Keep tasks pending from now on, however long they run."""
        self.tasks.hold()

    def release(self) -> None:
        self.tasks.release()

    def fail_next(self, fault: Fault, on: Place | str = Place.SUBMIT, times: int = 1) -> None:
        """Let the next exchanges of a kind meet a fault; faults queue up."""
        self._faults.add(fault, Place(on), times)

    async def close(self) -> None:
        self.tasks.close()
        await self.callbacks.close()

    @abstractmethod
    def routes(self) -> list[BaseRoute]: ...

    @abstractmethod
    def authorize(self, request: Request) -> None:
        """Raises Refused."""

    @abstractmethod
    def refuse(self, refusal: Refusal, detail: str) -> Response:
        """A refusal in this brand's codes and words."""

    def on_done(self, task: Task) -> None:  # noqa: B027  most brands tell nobody
        """A task is done: the place for callbacks and refunds."""

    def exception_handlers(self) -> dict[Any, Any]:
        """How this brand answers a wrong path (404) or method (405)."""
        return {}

    def endpoint(self, place: Place, work: Work) -> Work:
        """``work`` behind faults and the key check."""

        async def answer(request: Request) -> Response:
            self.looks += place is Place.LOOK
            return await self._faults.play(place, lambda: self._checked(work, request))

        return answer

    def make_task(self, task_id: str, song: Song, mode: Mode, callback_url: str | None = None) -> Task:
        """Charge and start; raises Refused. Nothing is ever de-duplicated."""
        if song.quirks.refusal:
            raise Refused(song.quirks.refusal)
        now = self.clock()
        self._take_turn(now)
        price = self.prices[mode]
        if self.balance < price:
            raise Refused(Refusal.NO_CREDITS)
        self.balance -= price
        self.submits.append(Submit(song, mode, now, task_id, callback_url, price))
        self._recent.append(now)
        return self.tasks.add(task_id, song, mode, callback_url)

    def look_at(self, task_id: str) -> Task:
        """The task as it is by now; raises Refused for an unknown one, and what its song wants refused."""
        task = self.tasks.get(task_id)
        if task is None:
            raise Refused(Refusal.UNKNOWN_TASK)
        task.looks += 1
        if task.looks <= len(task.song.quirks.first_looks):
            raise Refused(task.song.quirks.first_looks[task.looks - 1])
        return task

    def parts(self, task: Task) -> list[files.Part]:
        return files.parts(self.base_files_url, task.id, task.song, task.mode)

    async def spoilt(self, song: Song, answer: Response) -> Response:
        """The answer to a submit as the song wants it."""

        async def proceed() -> Response:
            return answer

        name = song.quirks.submit_fault
        return await faults.FAULTS[name]().play(proceed) if name else answer

    async def _checked(self, work: Work, request: Request) -> Response:
        try:
            self.authorize(request)
            return await work(request)
        except Refused as refused:
            return self.refuse(refused.refusal, refused.detail)

    async def _file(self, request: Request) -> Response:
        return await self._faults.play(Place.FILE, lambda: files.serve(request))

    def _take_turn(self, now: float) -> None:
        while self._recent and self._recent[0] <= now - self.rate.per_s:
            self._recent.popleft()
        if len(self._recent) >= self.rate.submits:
            raise Refused(Refusal.TOO_FAST)

    def _build(self) -> Starlette:
        stem_host = Mount("/files", routes=self.file_routes())
        return Starlette(routes=[*self.routes(), stem_host], exception_handlers=self.exception_handlers())

    def file_routes(self) -> list[BaseRoute]:
        return [Route(covers.ROUTE, cover), Route(files.ROUTE, self._file, methods=["GET"])]


async def cover(request: Request) -> Response:
    """A song's picture, for whoever names a song."""
    return Response(covers.picture(request.path_params["audio_id"]), media_type=covers.JPEG)
