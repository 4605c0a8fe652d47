"""apikley.ru: the wire format and the codes of kie.ai, with limits of its own. https://docs.apikley.ru"""

from providers.base import Limits, Mode
from providers.kie import CODES
from providers.vocal_removal import Brand

BRAND = Brand(
    name="apikley",
    title="apikley.ru",
    codes=CODES,
    credits_path="/api/v1/chat/credit",
    costs={Mode.BASIC: 10, Mode.FULL: 50},
    limits=Limits(submits=18, per_s=10, look_every_s=30, link_life_days=14),  # it publishes no numbers
)
