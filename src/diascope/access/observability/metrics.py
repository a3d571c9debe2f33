"""Metrics as Prometheus reads them (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING

from diascope.access.observability.answers import BOUNDS
from diascope.access.observability.samples import FAMILIES
from diascope.access.observability.shared import Tellings, summed

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

LABELS = ("door", "source", "layout", "status")


def exposed(tellings: Tellings, accept: str) -> tuple[bytes, str]:
    """The numbers of all processes as a document, and its media type, which is one that is accepted.

    Counts are those of all processes together; what each holds has a label that names it.
    """
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import choose_encoder

    class Collector:
        def collect(self) -> Iterator[Metric]:
            yield _seconds(tellings)
            yield from _families(tellings)

    registry = CollectorRegistry()
    registry.register(Collector())
    encode, media_type = choose_encoder(accept)
    return encode(registry), media_type


def _seconds(tellings: Tellings) -> Metric:
    from prometheus_client.core import HistogramMetricFamily

    told = "How long requests took, from their head to the last byte that was handed to the connection"
    family = HistogramMetricFamily("diascope_request_seconds", told, labels=LABELS)
    bounds = [*map(str, BOUNDS), "+Inf"]
    for answered, series in sorted(summed(tellings).items()):
        buckets = list(zip(bounds, accumulate(series[:-1]), strict=True))
        family.add_metric([*map(str, answered)], buckets, series[-1])
    return family


def _families(tellings: Tellings) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    for name, (kind, text, label) in FAMILIES.items():
        labels = [label] if label else []
        if kind == "counter":
            counter = CounterMetricFamily(name, text, labels=labels)
            sums: dict[str, float] = {}
            for told in tellings:
                for (other, value), number in told.samples.items():
                    if other == name:
                        sums[value] = sums.get(value, 0) + number
            for value, number in sums.items():
                counter.add_metric([value] if label else [], number)
            yield counter
            continue
        gauge = GaugeMetricFamily(name, text, labels=[*labels, "process"])
        for told in tellings:
            for (other, value), number in told.samples.items():
                if other == name:
                    gauge.add_metric([*([value] if label else []), told.process], number)
        yield gauge
