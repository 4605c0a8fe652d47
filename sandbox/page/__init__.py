"""The demo's chat page: static files that need nothing from outside, and the examples that it offers.

Its data comes from ``/chat-api``. The page looks on as the first person there is.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox import songs

FOLDER = Path(__file__).parent
FILES = {
    "/": "index.html",
    "/page.css": "page.css",
    "/page.js": "page.js",
    "/chats.js": "chats.js",
    "/messages.js": "messages.js",
    "/texts.js": "texts.js",
}
HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Example:
    """Something to say. ``group_text`` is what does the same in a group, where it differs."""

    label: str
    text: str
    group_text: str = ""


# With the task's id the upstream knows the song's title, too.
SONG, ANOTHER_SONG = songs.SONGS[0], songs.SONGS[2]
FAILING_SONG = songs.ODD["generation_failed"]
LINK = f"https://suno.com/song/{ANOTHER_SONG.audio_id}"

TWO_STEMS = Example("Two stems", f"/stems {SONG.task_id}:{SONG.audio_id}")
FULL_SET = Example("Full set", f"/stems {SONG.task_id}:{SONG.audio_id} full")
A_LINK = Example("Suno link", LINK, f"/stems {LINK}")
A_FAILURE = Example("Failing song", f"/stems {FAILING_SONG.task_id}:{FAILING_SONG.audio_id}")
EXAMPLES = (
    TWO_STEMS,
    FULL_SET,
    A_LINK,
    Example("Credits", "/credits"),
    Example("Jobs", "/jobs"),
    A_FAILURE,
    Example("Wrong id", "/stems paper-boats"),
)


def routes() -> list[BaseRoute]:
    """The page at ``/``, its files, and the examples as JSON."""

    async def file(request: Request) -> Response:
        return FileResponse(FOLDER / FILES[request.url.path], headers=HEADERS)

    async def offered(_: Request) -> Response:
        return JSONResponse([asdict(example) for example in EXAMPLES])

    return [*(Route(path, file) for path in FILES), Route("/examples", offered)]
