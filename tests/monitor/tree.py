"""Where things are that these tests look at."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MONITOR = ROOT / "monitor"
sys.path.insert(0, str(MONITOR))


def metric_table():
    """{name: (kind, label names)} of everything that Tessera measures."""
    text = (ROOT / "src" / "telemetry" / "farm_metrics.h").read_text()
    table = {}
    for family in re.findall(r"constexpr MetricFamily k\w+\{(.*?)\n\};", text, re.DOTALL):
        name = re.search(r'\.name = "(\w+)"', family)[1]
        kind = re.search(r"\.kind = MetricKind::k(\w+)", family)[1].lower()
        labels = re.search(r"\.labels = \{(.*?)\}", family)
        table[name] = (kind, set(re.findall(r'"(\w+)"', labels[1])) if labels else set())
    return table


def series_table():
    """{name: label names} of the series that Prometheus then has, with those of a scrape."""
    table = {}
    for name, (kind, labels) in metric_table().items():
        labels = labels | {"job", "instance", "role"}
        if kind == "histogram":
            table |= {f"{name}_sum": labels, f"{name}_count": labels, f"{name}_bucket": labels | {"le"}}
        else:
            table[name] = labels
    return table
