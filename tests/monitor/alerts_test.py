#!/usr/bin/env python3
"""Prometheus' rules by promtool: tests/monitor/alerts_test.yml tells when each alert fires; here it is
seen that none is left out, and that each says where it is and what to do."""
import json
import pathlib
import re
import subprocess
import tempfile
import unittest

import yaml

from tree import MONITOR, ROOT

from programs import program

RULES = MONITOR / "prometheus"
STORIES = ROOT / "tests" / "monitor" / "alerts_test.yml"
ALERTS = {rule["alert"]: rule for group in yaml.safe_load((RULES / "alerts.yml").read_text())["groups"]
          for rule in group["rules"]}


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, **more)


def first_firing():
    """{alert: (story, time)} where a story expects it to fire."""
    found = {}
    for story in yaml.safe_load(STORIES.read_text())["tests"]:
        for check in story["promql_expr_test"]:
            for sample in check.get("exp_samples", []):
                alert = re.search(r'alertname="(\w+)"', sample["labels"])
                if alert:
                    found.setdefault(alert[1], (story, check["eval_time"]))
    return found


class Rules(unittest.TestCase):
    def test_stories(self):
        result = run(program("promtool"), "test", "rules", STORIES)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_every_alert_fires_in_some_story(self):
        self.assertEqual(set(first_firing()), set(ALERTS))

    def test_the_healthy_farm_has_what_every_alert_looks_at(self):
        healthy = yaml.safe_load(STORIES.read_text())["tests"][0]
        given = " ".join(series["series"] for series in healthy["input_series"])
        for name, rule in ALERTS.items():
            for metric in re.findall(r"(?<![:\w])(?:tessera_\w+|up\b)", rule["expr"]):
                self.assertIn(metric + "{", given, name)

    def test_every_alert_says_where_and_what_to_do(self):
        """promtool tells what it got when it is told to expect nothing."""
        firing = first_firing()
        for name in ALERTS:
            story, time = firing[name]
            test = {"interval": story["interval"], "input_series": story["input_series"],
                    "alert_rule_test": [{"alertname": name, "eval_time": time, "exp_alerts": []}]}
            with self.subTest(name), tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
                json.dump({"rule_files": [str(RULES / "recording.yml"), str(RULES / "alerts.yml")],
                           "evaluation_interval": "1m", "tests": [test]}, file)
                file.flush()
                said = run(program("promtool"), "test", "rules", file.name)
                text = said.stdout + said.stderr
                words = re.search(r'Annotations:\{description="(.*?)", summary="(.*?)"\}', text)
                self.assertTrue(words, text)
                description, summary = words.groups()
                self.assertNotRegex(description + summary, r"<error|<no value>|\{\{|%!|NaN")
                self.assertRegex(description, r"\bfarm\b|\bbox\b|No Tessera server", "it names no place")
                self.assertGreater(len(description), 100, "there is more to say")
                self.assertLess(len(summary), 60)

    def test_every_alert_has_a_severity_and_a_place_in_the_manual(self):
        manual = (ROOT / "docs" / "monitoring.md").read_text()
        for name, rule in ALERTS.items():
            self.assertIn(rule["labels"]["severity"], ("critical", "warning", "info"))
            self.assertIn(f"`{name}`", manual)

    def test_configurations(self):
        with tempfile.TemporaryDirectory() as folder:
            for path in RULES.glob("*.yml"):
                pathlib.Path(folder, path.name).write_text(path.read_text())
            pathlib.Path(folder, "tessera.key").write_text("none\n")
            checked = run(program("promtool"), "check", "config", f"{folder}/prometheus.yml")
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        checked = run(program("amtool"), "check-config", RULES / "alertmanager.yml")
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)


if __name__ == "__main__":
    unittest.main()
