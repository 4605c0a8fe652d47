"""Every metric, once. https://prometheus.io/docs/concepts/metric_types/"""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Metrics:
    """Counters of one bot, in a registry of their own: two bots in a process do not share them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.updates = Counter("stembot_updates", "Updates stored", registry=self.registry)
        self.upstream = Counter(
            "stembot_upstream_answers",
            "Answers of upstreams, by what came of them",
            ("provider", "call", "outcome"),
            registry=self.registry,
        )
        self.parts = Counter(
            "stembot_parts",
            "Sends of stems, by what came of them",
            ("kind", "outcome"),
            registry=self.registry,
        )

    def text(self, gauges: Iterable[Metric]) -> bytes:
        """Everything in Prometheus' text format; ``gauges`` hold only for this moment."""
        return generate_latest(self.registry) + generate_latest(_Moment(gauges))


class _Moment(CollectorRegistry):
    def __init__(self, gauges: Iterable[Metric]) -> None:
        super().__init__()
        self.register(_Fixed(gauges))


class _Fixed(Collector):
    def __init__(self, gauges: Iterable[Metric]) -> None:
        self._gauges = tuple(gauges)

    def collect(self) -> Iterator[Metric]:
        return iter(self._gauges)


def gauge(
    name: str, meaning: str, labels: Iterable[str], values: Iterable[tuple[tuple[str, ...], float]]
) -> Metric:
    """One gauge with a value per combination of labels."""
    family = GaugeMetricFamily(f"stembot_{name}", meaning, labels=list(labels))
    for combination, value in values:
        family.add_metric(combination, value)
    return family
