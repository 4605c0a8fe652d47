"""The composition root: the one place that knows what the bot is made of, and how it starts and stops."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from telegram import BotCommand, Update
from telegram.error import InvalidToken, TelegramError
from telegram.ext import Application, ApplicationBuilder, ContextTypes
from telegram.request import HTTPXRequest

from bot import handlers, texts
from bot.connection import connect, new_request
from bot.delivery import fetch, plan
from bot.delivery.fetch import Fetcher
from bot.engine.loops import Loop, repeat
from bot.engine.schedule import loops
from bot.intake.dispatcher import HANDLED, RESCUE_EVERY_S, Dispatcher
from bot.intake.limiter import Limiter
from bot.intake.poller import ALLOWED, poll
from bot.services import BotContext, Services
from bot.settings import Settings
from bot.share_links import ShareLinks
from bot.web import create_app
from bot.web.serving import HttpService
from bot.web.telegram import secret
from providers import registry
from providers.base import Provider
from providers.errors import Misconfigured
from storage import jobs, moves
from storage.database import Database, DatabaseError, newest_revision

logger = logging.getLogger(__name__)

STOP_WITHIN_S = 8.0  # Docker kills after ten
HANDLE_WITHIN_S = 300.0  # an answer may wait 90 s for its turn in a chat, and there may be several
TELEGRAM_RETRY_S = 5.0
SLOWEST_DOWNLOAD = 1_000_000.0  # bytes a second that the largest file may come at
TELEGRAM = "Telegram"

TelegramApplication = Application[Any, BotContext, Any, Any, Any, Any]


class CannotStart(Exception):
    """Something only the operator can mend; str() says what."""


@dataclass(slots=True)
class App:
    """A bot that is put together and not started yet."""

    services: Services
    application: TelegramApplication
    dispatcher: Dispatcher
    loops: tuple[Loop, ...]
    poll_request: HTTPXRequest

    async def run(self, stop: asyncio.Event, on_started: Callable[[], None] | None = None) -> None:
        """Serve until ``stop``, then end within ten seconds.

        Raises CannotStart, DatabaseError, and IntakeDead where only a fresh start may help.
        """
        services = self.services
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._close)
            await prepare(services.database)
            services.pulse.expect(TELEGRAM, within_s=0, now=-math.inf)  # not seen yet
            http = _serve(services, self.dispatcher)
            stack.push_async_callback(http.stop)
            if not await self._meet_telegram(stop):
                return
            logger.info("@%s is at work; %s/healthz", services.bot.username, http.url)
            if on_started:
                on_started()
            await self._work(stop)

    async def _work(self, stop: asyncio.Event) -> None:
        """Everything that runs as long as the bot does; the end of one part is the end of all."""
        services, receive = self.services, self.dispatcher.receive
        parts = [repeat(loop, services, stop) for loop in self.loops]
        tasks = [asyncio.create_task(part) for part in parts]
        intake: asyncio.Task[None] = asyncio.create_task(
            _until(stop)
            if services.settings.telegram_webhook
            else poll(services, receive, self._renew_polling, stop)
        )
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([*tasks, intake, stopping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.set()
            await self._wind_down(tasks, intake)
            await stopping
        for task in (*tasks, intake):
            if not task.cancelled():
                task.result()  # raises what ended it, if something did

    async def _wind_down(self, tasks: list[asyncio.Task[None]], intake: asyncio.Task[None]) -> None:
        """Steps end by themselves; what is still in the middle of an exchange is cut off at the deadline.

        Nothing is lost by that: what was begun is in the database, and goes on after the next start.
        """
        intake.cancel()
        self.services.wakes.wake_all()
        await self.dispatcher.drain(STOP_WITHIN_S / 2)
        _, late = await asyncio.wait(tasks, timeout=STOP_WITHIN_S / 2)
        for task in late:
            task.cancel()
        await asyncio.wait([*tasks, intake])

    async def _meet_telegram(self, stop: asyncio.Event) -> bool:
        """Log in, however long that takes; False where ``stop`` came first."""
        failures = 0
        while not stop.is_set():
            try:
                await self.application.initialize()
                await self._set_up_telegram()
            except InvalidToken as error:
                told = "TELEGRAM_TOKEN: Telegram does not know this token; @BotFather shows the right one"
                raise CannotStart(told) from error
            except TelegramError as error:
                failures += 1
                logger.warning("Telegram does not answer, trying again: %s", error)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), min(failures / 2, TELEGRAM_RETRY_S))
            else:
                self.services.pulse.forget(TELEGRAM)  # from now on it is the intake that tells
                return True
        return False

    async def _set_up_telegram(self) -> None:
        bot, settings = self.services.bot, self.services.settings
        if settings.telegram_webhook:
            token = settings.telegram_token.get_secret_value()
            await bot.set_webhook(
                f"{settings.public_url}/telegram", secret_token=secret(token), allowed_updates=ALLOWED
            )
        else:
            await _where_offered(bot.delete_webhook())
        await _where_offered(
            bot.set_my_commands([BotCommand(*command) for command in texts.COMMANDS.items()])
        )

    async def _renew_polling(self) -> None:
        await self.poll_request.shutdown()
        await self.poll_request.initialize()

    async def _close(self) -> None:
        services = self.services
        await self.application.shutdown()
        for request in (self.poll_request, services.bot.request):
            await request.shutdown()  # PTB leaves them open where it could not log in
        await services.fetcher.aclose()
        await services.share_links.aclose()
        for provider in services.providers.values():
            await provider.aclose()
        await services.database.close()


def build(settings: Settings, *, files: Path, limiter: Limiter | None = None) -> App:
    """Put a bot together; ``files`` is where downloads lie for a while. Raises CannotStart."""
    fetch.sweep(files)
    poll_request = new_request()
    upload_max_bytes = plan.LOCAL_UPLOAD_MAX_BYTES if settings.telegram_local_mode else plan.UPLOAD_MAX_BYTES
    services = Services(
        settings=settings,
        database=Database(settings.database_url.get_secret_value()),
        providers=build_providers(settings),
        bot=connect(settings, poll_request, limiter),
        fetcher=Fetcher(
            files,
            allow_private=settings.allow_private_file_hosts,
            max_bytes=max(fetch.MAX_BYTES, upload_max_bytes),
            total_timeout_s=max(fetch.TOTAL_TIMEOUT_S, upload_max_bytes / SLOWEST_DOWNLOAD),
        ),
        share_links=ShareLinks(),
        upload_max_bytes=upload_max_bytes,
    )
    application = _application(services)
    dispatcher = Dispatcher(services, partial(handle, application), partial(apologise, services))
    intake = (
        Loop("updates", dispatcher.rescue, _never, 60, idle_s=RESCUE_EVERY_S),
        Loop(HANDLED, dispatcher.flush, _never, 60, idle_s=10),
    )
    return App(services, application, dispatcher, (*intake, *loops(services)), poll_request)


def build_providers(settings: Settings) -> Mapping[str, Provider]:
    """In order of preference. Raises CannotStart."""
    found: dict[str, Provider] = {}
    for one in settings.providers_in_use():
        key = one.key.get_secret_value() if one.key else ""
        cookie = one.cookie.get_secret_value() if one.cookie else None
        try:
            found[one.name] = registry.build(one.name, one.url, key, cookie)
        except Misconfigured as error:
            raise CannotStart(f"{one.name}: {error}") from error
    return found


async def prepare(database: Database) -> None:
    """Make the database ready: an embedded one is brought to the newest migration, and is ours alone.

    Others are the operator's to migrate. Raises DatabaseError.
    """
    database.lock()
    if database.embedded:
        await database.migrate()
        async with database.transaction() as db:
            await moves.void_leases(db)
            await jobs.void_status_claims(db, now=time.time())
    elif await database.revision() != newest_revision():
        raise DatabaseError(f"{database.name} is not at the newest migration: run `stembot migrate`")


async def handle(
    application: TelegramApplication, raw: dict[str, Any], within_s: float = HANDLE_WITHIN_S
) -> BaseException | None:
    """Give a stored update to the handlers; why it failed, None where it did not."""
    services: Services = application.bot_data["services"]
    handling = asyncio.create_task(_process(application, raw))
    try:
        await asyncio.wait([handling], timeout=within_s)
    finally:
        handling.cancel()
    if not handling.done():
        return TimeoutError(f"it came to no end in {within_s:.0f} s")
    return handling.exception() or services.failed_updates.pop(raw["update_id"], None)


async def apologise(services: Services, raw: dict[str, Any]) -> None:
    """The update's handler failed again and again: say so where it came from."""
    chat = (raw.get("message") or {}).get("chat")
    if chat:
        with suppress(TelegramError):
            await services.bot.send_message(chat["id"], texts.SOMETHING_BROKE)


async def _process(application: TelegramApplication, raw: dict[str, Any]) -> None:
    await application.process_update(Update.de_json(raw, application.bot))


def _application(services: Services) -> TelegramApplication:
    contexts = ContextTypes(context=BotContext)
    application = ApplicationBuilder().bot(services.bot).updater(None).context_types(contexts).build()
    application.bot_data["services"] = services
    handlers.register(application)
    return application


def _serve(services: Services, dispatcher: Dispatcher) -> HttpService:
    settings = services.settings
    try:
        return HttpService(create_app(services, dispatcher.receive), settings.http_host, settings.http_port)
    except OSError as error:
        told = f"HTTP_PORT: {settings.http_host}:{settings.http_port} cannot be listened on: {error.strerror}"
        raise CannotStart(told) from error


async def _where_offered(call: Awaitable[object]) -> None:
    """Wait for a call that the bot can do without: a Bot API server of one's own may lack its method."""
    try:
        await call
    except InvalidToken:  # that is what PTB makes of each 404; the token itself was accepted a moment ago
        logger.warning("Telegram's server lacks a method that sets the bot up; going on without it")


async def _until(stop: asyncio.Event) -> None:
    await stop.wait()


async def _never() -> float | None:
    return None
