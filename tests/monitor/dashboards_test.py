#!/usr/bin/env python3
"""Holds Grafana's dashboards, without Grafana, against what Grafana and Prometheus take: types by
@grafana/schema, queries by promtool, metrics and labels by Tessera's own table, and the layout."""
import collections
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from tree import MONITOR, ROOT, series_table

import dashboards
from programs import program

LOADED = dashboards.load()
RECORDED = set(re.findall(r"record: (\S+)", (MONITOR / "prometheus" / "recording.yml").read_text()))

# Grafana's types say enum where JSON has the enum's text.
TYPES = """
import type { AnnotationQuery, Dashboard, Panel, RowPanel, DataSourceRef, OptionsWithLegend, OptionsWithTooltip,
    GraphFieldConfig } from "@grafana/schema";
import type { Options as Stat } from
    "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen.d.ts";
import type { Options as BarGauge } from
    "@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen.d.ts";
import type { Options as Heatmap } from
    "@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen.d.ts";
type Json<T> = unknown extends T ? T : T extends string ? `${T}`
    : T extends number | boolean | null | undefined ? T : { [K in keyof T]: Json<T[K]> };
interface Query { refId: string; datasource: DataSourceRef; expr: string; legendFormat: string;
    range?: boolean; instant?: boolean; format?: "time_series" | "table" | "heatmap" }
type Of<Kind extends string, Options, Custom> = Omit<Panel, "type" | "options" | "targets" | "fieldConfig">
    & { type: Kind; options: Options; targets: Query[];
        fieldConfig: { defaults: NonNullable<Panel["fieldConfig"]>["defaults"] & { custom?: Custom };
                       overrides: never[] } };
type Shown = RowPanel | Of<"timeseries", OptionsWithLegend & OptionsWithTooltip, GraphFieldConfig>
    | Of<"stat", Stat, never> | Of<"bargauge", BarGauge, never> | Of<"heatmap", Heatmap, never>;
type Ours = Omit<Dashboard, "panels" | "annotations">
    & { uid: string; editable: false; panels: Shown[];
        annotations: { list: (Omit<AnnotationQuery, "target"> & { target: { refId: string; expr: string } })[] } };
"""


def check_types(*contents):
    """tsc's complaints about these dashboards."""
    room = ROOT / "tests" / "monitor" / "node_modules"
    with tempfile.TemporaryDirectory() as scratch:
        os.symlink(room, f"{scratch}/node_modules")
        source = TYPES + "".join(f"export const d{number}: Json<Ours> = {json.dumps(content, indent=1)};\n"
                                 for number, content in enumerate(contents))
        pathlib.Path(scratch, "check.ts").write_text(source)
        options = {"noEmit": True, "strict": True, "skipLibCheck": True, "types": [],
                   "module": "esnext", "moduleResolution": "bundler"}
        pathlib.Path(scratch, "tsconfig.json").write_text(
            json.dumps({"compilerOptions": options, "files": ["check.ts"]}))
        result = subprocess.run(["node", room / "typescript" / "bin" / "tsc", "--pretty", "false"],
                                cwd=scratch, capture_output=True, text=True)
        return result.stdout + result.stderr


def queries():
    for name, dashboard in LOADED.items():
        for panel in dashboards.panels(dashboard):
            for target in panel["targets"]:
                yield f"{name}, {panel['title']}", target["expr"]


class Dashboards(unittest.TestCase):
    def test_are_what_the_script_writes(self):
        subprocess.run([MONITOR / "grafana" / "make_dashboards.py", "--check"], check=True)

    def test_have_grafanas_types(self):
        self.assertEqual(check_types(*LOADED.values()), "")

    def test_wrong_types_are_found(self):
        def spoilt(change):
            dashboard = json.loads(json.dumps(LOADED["overview"]))
            change(dashboard)
            return dashboard

        def chart(dashboard):
            return next(panel for panel in dashboard["panels"] if panel["type"] == "timeseries")

        complaints = check_types(
            spoilt(lambda d: d.update(schemaVersion="41")),
            spoilt(lambda d: d.update(unknown=1)),
            spoilt(lambda d: chart(d)["fieldConfig"]["defaults"]["custom"].update(drawStyle="curve")),
            spoilt(lambda d: chart(d)["options"]["legend"].update(placement="top")),
            spoilt(lambda d: chart(d)["gridPos"].pop("w")))
        wrong = set(re.findall(r"check\.ts\((\d+)", complaints))
        self.assertGreaterEqual(len(wrong), 5, complaints)

    def test_have_a_fixed_place_in_grafana(self):
        uids = [dashboard["uid"] for dashboard in LOADED.values()]
        self.assertEqual(len(set(uids)), len(uids))
        for name, dashboard in LOADED.items():
            with self.subTest(name):
                self.assertRegex(dashboard["uid"], r"^tessera-[a-z]+$")
                self.assertIs(dashboard["editable"], False)
                sources = {target["datasource"]["uid"] for panel in dashboards.panels(dashboard)
                           for target in panel["targets"]}
                self.assertEqual(sources, {"${datasource}"})

    def test_panels_do_not_overlap(self):
        for name, dashboard in LOADED.items():
            with self.subTest(name):
                ids = [panel["id"] for panel in dashboard["panels"]]
                self.assertEqual(len(set(ids)), len(ids))
                taken = collections.Counter()
                for panel in dashboard["panels"]:
                    place = panel["gridPos"]
                    self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
                    taken.update((x, y) for x in range(place["x"], place["x"] + place["w"])
                                 for y in range(place["y"], place["y"] + place["h"]))
                self.assertEqual([cell for cell, times in taken.items() if times > 1], [])

    def test_titles_tell_panels_apart(self):
        for name, dashboard in LOADED.items():
            titles = [panel["title"] for panel in dashboard["panels"]]
            self.assertEqual(len(set(titles)), len(titles), name)

    def test_rates_are_over_what_was_scraped(self):
        for where, expr in queries():
            windows = re.findall(r"rate\([^()]*\[([^]]+)\]", expr)
            self.assertTrue(set(windows) <= {"$__rate_interval", "5m", "1h"}, where)


class Queries(unittest.TestCase):
    def all(self):
        """Queries of dashboards and rules, by where they stand."""
        yield from queries()
        for path in (MONITOR / "prometheus").glob("*.yml"):
            for expr in re.findall(r"^ +expr: (?:\|\n((?: {10,}.*\n)+)|(.+))", path.read_text(), re.M):
                yield path.name, expr[0] or expr[1]

    def test_promtool_understands_each(self):
        rules = [{"record": f"query:{number}", "expr": dashboards.filled(expr, "farm:7860")}
                 for number, (_, expr) in enumerate(queries())]
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            json.dump({"groups": [{"name": "dashboards", "rules": rules}]}, file)
            file.flush()
            result = subprocess.run([program("promtool"), "check", "rules", "--lint=none", file.name],
                                    capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_every_metric_and_label_exists(self):
        series = series_table()
        checked = 0
        for where, expr in self.all():
            known = {"le", "node", "severity", "alertstate"}
            bare = re.sub(r'"[^"]*"', '""', expr)
            for name, matchers in re.findall(r"(?<![:\w])(tessera_\w+)(?:\{([^}]*)\})?", bare):
                with self.subTest(f"{where}: {name}"):
                    self.assertIn(name, series)
                    self.assertLessEqual(set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers)),
                                         series[name])
                    known |= series[name]
                    checked += 1
            for name in re.findall(r"\w+:tessera_\w+:\w+", bare):
                self.assertIn(name, RECORDED, where)
                known |= {"job", "instance"}
            for labels in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", bare):
                self.assertLessEqual({label.strip() for label in labels.split(",")}, known, where)
        self.assertGreater(checked, 100)


if __name__ == "__main__":
    unittest.main()
