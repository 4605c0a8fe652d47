"""Updates by webhook: posted in order, again until the bot answers with a 2xx.

https://core.telegram.org/bots/api#setwebhook https://core.telegram.org/bots/webhooks
"""

import asyncio
import contextlib
import time
from dataclasses import dataclass
from typing import Any

import httpx

from sandbox.telegram.updates import Update, Updates

ANSWER_WITHIN_S = 60.0
RETRY_AFTER_MAX_S = 3600.0
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name


@dataclass(frozen=True)
class Hook:
    """Where updates go."""

    url: str
    secret: str = ""
    max_connections: int = 40


class Webhook:
    """The one webhook of the bot; without one there is polling."""

    def __init__(self, updates: Updates, *, retry_s: float) -> None:
        self._updates, self._retry_s = updates, retry_s
        self._hook: Hook | None = None
        self._task: asyncio.Task[None] | None = None
        self._last_error: dict[str, Any] = {}

    def start(self, hook: Hook) -> None:
        """Post from now on to this place."""
        if self._task is not None:
            self._task.cancel()
        self._hook, self._last_error = hook, {}
        self._updates.webhook_active = True
        self._task = asyncio.create_task(self._deliver(hook))

    async def stop(self) -> None:
        self._updates.webhook_active = False
        self._hook, task, self._task = None, self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def wire(self) -> dict[str, Any]:
        """WebhookInfo, without what the queue knows."""
        if self._hook is None:
            return {"url": ""}
        return {"url": self._hook.url, "max_connections": self._hook.max_connections, **self._last_error}

    async def _deliver(self, hook: Hook) -> None:
        headers = {SECRET_HEADER: hook.secret} if hook.secret else {}
        async with httpx.AsyncClient(headers=headers, timeout=ANSWER_WITHIN_S, trust_env=False) as client:
            while True:
                pending = self._updates.pending()
                if not pending:
                    self._updates.arrived.clear()
                    await self._updates.arrived.wait()
                elif (wait_s := await self._post(client, hook, pending[0])) is None:
                    self._updates.forget(pending[0])
                else:
                    await asyncio.sleep(wait_s)

    async def _post(self, client: httpx.AsyncClient, hook: Hook, update: Update) -> float | None:
        """None when the bot took it, else the seconds until the next try."""
        try:
            response = await client.post(hook.url, json=update.wire())
        except httpx.HTTPError as error:
            return self._failed(f"Connection failed: {type(error).__name__}", "")
        if response.is_success:
            return None
        text = f"Wrong response from the webhook: {response.status_code} {response.reason_phrase}"
        return self._failed(text, response.headers.get("retry-after", ""))

    def _failed(self, text: str, retry_after: str) -> float:
        self._last_error = {"last_error_date": int(time.time()), "last_error_message": text}
        return min(float(retry_after), RETRY_AFTER_MAX_S) if retry_after.isdecimal() else self._retry_s
