"""kie.ai: the API of sunoapi.org, but 402 means out of credits and 429 too fast. https://docs.kie.ai"""

from providers.base import Failed, Limits, Mode
from providers.codes import Codes
from providers.errors import Rejected, TooFast
from providers.vocal_removal import SHARED_CODES, Brand

CODES: Codes = {
    **SHARED_CODES,
    #    on a submit     on a look
    400: (Rejected, Failed),  # not JSON, it says: our mistake
    429: (TooFast, TooFast),
}

BRAND = Brand(
    name="kie",
    title="kie.ai",
    codes=CODES,
    credits_path="/api/v1/chat/credit",
    costs={Mode.BASIC: 8, Mode.FULL: 40},
    limits=Limits(submits=18, per_s=10, look_every_s=30, link_life_days=14),  # 20 per 10 s are allowed
    takes_links=True,  # seen in clients only
)
