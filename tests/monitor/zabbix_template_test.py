#!/usr/bin/env python3
"""What can be said of Zabbix's template without a Zabbix; `make test-zabbix` imports it into one."""
import re
import unittest
import uuid

import yaml

from tree import MONITOR, series_table

EXPORT = yaml.safe_load((MONITOR / "zabbix" / "tessera.yaml").read_text())["zabbix_export"]
TEMPLATE, = EXPORT["templates"]
RULE, = TEMPLATE["discovery_rules"]
ITEMS = TEMPLATE["items"] + RULE["item_prototypes"]


def triggers():
    yield from EXPORT["triggers"]
    for item in ITEMS:
        yield from item.get("triggers", []) + item.get("trigger_prototypes", [])


def uuids(part):
    if isinstance(part, dict):
        yield from [part["uuid"]] if "uuid" in part else []
        part = part.values()
    if not isinstance(part, str):
        for one in part:
            yield from uuids(one)


class Template(unittest.TestCase):
    def test_asks_for_metrics_and_labels_that_there_are(self):
        series = series_table()
        patterns = [step["parameters"][0] for item in [*ITEMS, RULE] for step in item.get("preprocessing", [])
                    if step["type"].startswith("PROMETHEUS")]
        self.assertGreater(len(patterns), 30)
        for pattern in patterns:
            name, matchers = re.fullmatch(r"(\w+)(?:\{(.*)\})?", pattern).groups()
            self.assertIn(name, series)
            labels = set(re.findall(r'(\w+)(?:=~|!~|!=|=)"', matchers or ""))
            self.assertLessEqual(labels, series[name], pattern)

    def test_one_request_feeds_all_items(self):
        asking = [item["key"] for item in ITEMS if item["type"] != "DEPENDENT"]
        self.assertEqual(asking, ["tessera.metrics"])
        self.assertEqual({item["master_item"]["key"] for item in [*ITEMS, RULE] if "master_item" in item},
                         set(asking))

    def test_triggers_look_at_items_that_there_are_and_say_what_to_do(self):
        keys = {item["key"] for item in ITEMS}
        found = list(triggers())
        self.assertGreater(len(found), 12)
        for trigger in found:
            used = set(re.findall(r"/Tessera by HTTP/([\w.]+(?:\[[^]]*\])?)", trigger["expression"]))
            self.assertTrue(used and used <= keys, trigger["expression"])
            self.assertGreater(len(trigger["description"]), 40)

    def test_macros_are_declared(self):
        text = (MONITOR / "zabbix" / "tessera.yaml").read_text().split("      macros:\n")
        declared = {macro["macro"] for macro in TEMPLATE["macros"]}
        used = set(re.findall(r"\{\$TESSERA[^}]*\}", text[0] + text[1].split("\n  triggers:")[1]))
        self.assertEqual(used, declared)

    def test_identities_are_random_and_different(self):
        all_of_them = list(uuids(EXPORT))
        self.assertEqual(len(set(all_of_them)), len(all_of_them))
        for one in all_of_them:
            self.assertEqual(uuid.UUID(one).version, 4, one)


if __name__ == "__main__":
    unittest.main()
