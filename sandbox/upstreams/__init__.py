"""Stand-ins for the upstreams: strict about what they are sent, as odd as the real ones in what they answer.

Everything here spells the wire names itself, from the upstreams' own pages, so that it can contradict the
providers. Nothing leaves the machine: links point at the sandbox, callbacks go to loopback addresses only.
"""

from sandbox.upstreams.apikley import Apikley
from sandbox.upstreams.base import Upstream
from sandbox.upstreams.kie import Kie
from sandbox.upstreams.suno_api import SunoApi
from sandbox.upstreams.sunoapi_com import SunoApiCom
from sandbox.upstreams.sunoapi_org import SunoApiOrg

__all__ = ["BRANDS", "Apikley", "Kie", "SunoApi", "SunoApiCom", "SunoApiOrg", "Upstream"]

BRANDS: dict[str, type[Upstream]] = {
    brand.name: brand for brand in (SunoApiOrg, Kie, Apikley, SunoApiCom, SunoApi)
}
