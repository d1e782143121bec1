#!/usr/bin/env python3
"""Draws the farm's overview as an SVG: the panels of Grafana's own file, filled by the same queries.

    monitor/overview_picture.py http://127.0.0.1:9090 docs/images/overview.svg
    monitor/overview_picture.py http://127.0.0.1:9090 hour.svg --minutes 60 --farm farm.example:7860
"""
import argparse
import html
import json
import math
import pathlib
import time
import urllib.parse
import urllib.request

import dashboards

COLUMN = 50  # pixels of a 24th of the width
LINE = 26    # pixels of a unit of height
COLORS = ("#3274d9", "#56a64b", "#e0992f", "#8f3bb8", "#1ba9a0", "#d683ce", "#8a6d3b", "#c4162a")
PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
STEPS = 240


def ask(prometheus, expr, start, end):
    query = urllib.parse.urlencode({
        "query": expr, "start": start, "end": end, "step": (end - start) / STEPS})
    with urllib.request.urlopen(f"{prometheus}/api/v1/query_range?{query}", timeout=30) as answer:
        for series in json.load(answer)["data"]["result"]:
            points = [(at, float(value)) for at, value in series["values"]]
            yield series["metric"], [(at, value) for at, value in points if math.isfinite(value)]


def number(value, unit):
    """0.5 s, 12 k, 1.5 GB, 93 %"""
    if unit == "percentunit":
        return f"{100 * value:.3g} %"
    if unit == "s" and value >= 120:
        return f"{value / 60:.3g} min"
    if unit == "s" and 0 < value < 0.1:
        return f"{1000 * value:.3g} ms"
    for size, prefix in PREFIXES:
        if abs(value) >= size:
            return f"{value / size:.3g} {prefix}" + ("B" if unit == "bytes" else "")
    return f"{value:.3g}" + {"s": " s", "reqps": "/s", "bytes": " B"}.get(unit, "")


def legend(template, labels):
    for name, value in labels.items():
        template = template.replace("{{" + name + "}}", value)
    return template


def without_gaps(line, longest):
    """The parts of a line between which nothing was known."""
    parts = []
    for point in line:
        if not parts or point[0] - parts[-1][-1][0] > longest:
            parts.append([])
        parts[-1].append(point)
    return parts


def round_up(value):
    """1, 2 or 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


class Drawing:
    def __init__(self, width, height):
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
            f'<rect width="{width}" height="{height}" fill="#f4f5f5"/>']

    def box(self, x, y, width, height):
        self.parts.append(f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="2" fill="#fff" '
                          'stroke="#d8d9da"/>')

    def text(self, x, y, words, **style):
        style = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}"{style}>{html.escape(words)}</text>')

    def line(self, points, color, width=1.5):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="{width}"/>')

    def area(self, points, color):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polygon points="{path}" fill="{color}" fill-opacity="0.3"/>')

    def finished(self):
        return "\n".join([*self.parts, "</svg>\n"])


def draw_stat(drawing, panel, series, x, y, width, height):
    unit = panel["fieldConfig"]["defaults"]["unit"]
    value = number(series[0][1][-1][1], unit) if series and series[0][1] else "–"
    drawing.text(x + width / 2, y + height / 2 + 22, value, font_size=30, text_anchor="middle",
                 fill="#37872d")


def draw_lines(drawing, panel, series, x, y, width, height, start, end):
    defaults = panel["fieldConfig"]["defaults"]
    is_stacked = defaults.get("custom", {}).get("stacking", {}).get("mode") == "normal"
    lines = []
    below = {}
    for name, points in series:
        line = []
        for at, value in points:
            floor = below.get(at, 0.0) if is_stacked else 0.0
            line.append((at, floor, floor + value))
            below[at] = floor + value
        lines.append((name, line))
    top = round_up(max((high for _, line in lines for _, _, high in line), default=1.0))
    left, right, upper, lower = x + 62, x + width - 12, y + 34, y + height - 44

    def place(at, value):
        return (left + (right - left) * (at - start) / (end - start), lower - (lower - upper) * value / top)

    for part in range(5):
        value = top * part / 4
        _, height_of = place(start, value)
        drawing.line([(left, height_of), (right, height_of)], "#e9eaea", 1)
        drawing.text(left - 6, height_of + 4, number(value, defaults["unit"]), text_anchor="end", fill="#666",
                     font_size=11)
    for part in range(5):
        at = start + (end - start) * part / 4
        drawing.text(place(at, 0)[0], lower + 15, time.strftime("%H:%M", time.gmtime(at)), fill="#666",
                     text_anchor="middle", font_size=11)
    beside = left
    for index, (name, line) in enumerate(lines):
        color = COLORS[index % len(COLORS)]
        for part in without_gaps(line, 2 * (end - start) / STEPS):
            if is_stacked:
                drawing.area([place(at, low) for at, low, _ in part]
                             + [place(at, high) for at, _, high in reversed(part)], color)
            drawing.line([place(at, high) for at, _, high in part], color)
        if beside < right - 60:
            drawing.line([(beside, y + height - 13), (beside + 14, y + height - 13)], color, 3)
            drawing.text(beside + 18, y + height - 9, name, fill="#333", font_size=11)
            beside += 34 + 6.2 * len(name)


def draw(dashboard, prometheus, farm, minutes):
    end = time.time()
    start = end - 60 * minutes
    bottom = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"])
    drawing = Drawing(24 * COLUMN + 8, bottom * LINE + 44)
    drawing.text(12, 27, dashboard["title"], font_size=19, fill="#222")
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        x, y = place["x"] * COLUMN + 4, place["y"] * LINE + 40
        width, height = place["w"] * COLUMN - 4, place["h"] * LINE - 4
        if panel["type"] == "row":
            drawing.text(x + 8, y + 17, panel["title"], font_size=15, fill="#444")
            continue
        drawing.box(x, y, width, height)
        drawing.text(x + 10, y + 20, panel["title"], font_weight="bold", fill="#333")
        series = [(legend(target["legendFormat"], labels), points) for target in panel["targets"]
                  for labels, points in ask(prometheus, dashboards.filled(target["expr"], farm, "1m", "1h"),
                                            start, end)]
        if panel["type"] == "stat":
            draw_stat(drawing, panel, series, x, y, width, height)
        else:
            draw_lines(drawing, panel, series, x, y, width, height, start, end)
    return drawing.finished()


def only_farm(prometheus):
    end = time.time()
    found = {labels["instance"] for labels, _ in
             ask(prometheus, 'tessera_build_info{role="server"}', end - 300, end)}
    if len(found) != 1:
        raise SystemExit(f"Prometheus knows {len(found)} farms ({', '.join(sorted(found))}); say --farm")
    return found.pop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prometheus", help="its address")
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--farm", help="host:port, where Prometheus knows several")
    options = parser.parse_args()
    prometheus = options.prometheus.rstrip("/")
    farm = options.farm or only_farm(prometheus)
    options.file.write_text(draw(dashboards.load()["overview"], prometheus, farm, options.minutes))


if __name__ == "__main__":
    main()
