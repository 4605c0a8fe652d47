"""The words on what is sent: captions, the title of what Telegram fetches itself, the list of links."""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from bot import texts
from bot.delivery import plan
from bot.delivery.fetch import FetchError
from bot.delivery.items import Fetched, Found, Source
from bot.delivery.records import Load
from providers.stems import family, rank
from storage.rows import Part, Stem


def of_files(load: Load, stems: Sequence[Stem], found: Found) -> str:
    """Which of all stems these are; those that were left out keep their numbers."""
    name, places = escape(plan.song_name(load.song.title, load.song.audio_id)), load.places()
    told = [name]
    first, last, total = places[stems[0].id][0], places[stems[-1].id][0], len(load.stems)
    if len(stems) < total:
        told.append(f"{f'{first}–{last}' if last > first else first} of {total}")
    elif total > 1:
        told.append(f"{total} stems")
    if load.fits:
        told.append(texts.made_to_fit(_kbit_s(stems[0], found[stems[0].id])))
    return " · ".join(told)


def _kbit_s(stem: Stem, source: Source | FetchError) -> int | None:
    """The bit rate that a file has on average."""
    duration_s = source.duration_s if isinstance(source, Fetched) else stem.duration_s
    if isinstance(source, FetchError) or not (source.size_bytes and duration_s):
        return None
    return int(source.size_bytes * 8 / duration_s / 1000)


def url(load: Load, part: Part) -> tuple[str, str]:
    """Address and title of a file that Telegram shall fetch itself."""
    (stem,) = load.stems_of(part)
    name = plan.song_name(load.song.title, load.song.audio_id)
    return stem.url or "", plan.title_of(name, stem.name, stem.set_number)


def links(load: Load, part: Part) -> str:
    """All links of a part, by family."""
    stems = sorted(load.stems_of(part), key=lambda stem: rank(stem.name))
    families: dict[str, list[tuple[str, str]]] = {}
    for stem in stems:
        if stem.url:
            families.setdefault(family(stem.name), []).append((stem.name, stem.url))
    ends = [stem.expires_at for stem in stems if stem.expires_at]
    expires = f"{datetime.fromtimestamp(min(ends), UTC):%-d %B %Y}" if ends else None
    return texts.links(load.song, families, expires)
