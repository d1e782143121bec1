"""What the dashboards of monitor/grafana/dashboards ask Prometheus."""
import json
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parent / "grafana" / "dashboards"


def load():
    """Every dashboard, by its file's name without .json."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def panels(dashboard):
    """Its panels that ask something."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def filled(expr, farm, interval="1m", span="1h"):
    """A query as Grafana would send it, for one farm and all workers."""
    values = {"farm": farm, "worker": ".*", "__rate_interval": interval, "__range": span}
    return re.sub(r"\$(\w+)", lambda match: values[match[1]], expr)
