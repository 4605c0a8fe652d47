"""sunoapi.org: 429 means out of credits here, too fast is 405 or 430. https://docs.sunoapi.org"""

from providers.base import Failed, Limits, Mode
from providers.codes import Codes
from providers.errors import NoCredits, SongUnknown, TooFast
from providers.vocal_removal import SHARED_CODES, Brand

CODES: Codes = {
    **SHARED_CODES,
    #    on a submit     on a look
    400: (SongUnknown, Failed),  # bad parameters: of what we send, only the ids can be
    405: (TooFast, TooFast),
    429: (NoCredits, TooFast),
    430: (TooFast, TooFast),
}

BRAND = Brand(
    name="sunoapi_org",
    title="sunoapi.org",
    codes=CODES,
    credits_path="/api/v1/generate/credit",
    costs={Mode.BASIC: 10, Mode.FULL: 50},
    limits=Limits(submits=18, per_s=10, look_every_s=10, link_life_days=14),  # 20 per 10 s are allowed
    takes_links=True,  # seen in clients only
)
