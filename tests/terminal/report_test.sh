#!/usr/bin/env bash
# tessera report on a farm that has done something.
#
#     tests/clients/with_farm.sh build/dev/bin/tessera tests/terminal/report_test.sh build/dev/bin/tessera
set -euo pipefail
tessera=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$tessera" submit "a boat on a lake" --size 64x64 --steps 2 --count 3 --wait >/dev/null 2>&1
TESSERA_KEY=$TESSERA_ADMIN_KEY "$tessera" report --since 1h --plot "$scratch/farm.svg" >"$scratch/text"
"$tessera" report --since 1h --plot "$scratch/farm.png" >/dev/null
"$tessera" info "$scratch/farm.png" >/dev/null
grep -q '1 handed in: 1 done, 0 failed' "$scratch/text"
grep -q 'Pictures  3' "$scratch/text"
grep -q '% of those that are connected' "$scratch/text"
python3 - "$scratch/farm.svg" <<'PYTHON'
import sys
import xml.etree.ElementTree as tree
words = " ".join(tree.parse(sys.argv[1]).getroot().itertext())
assert "3 pictures; 1 jobs done" in words, words
PYTHON
"$tessera" report --since 1h --json | python3 -c '
import json, sys
report = json.load(sys.stdin)
assert report["pictures"] == 3 and sum(s["pictures"] for s in report["slices"]) == 3, report'
if "$tessera" report --since 5s 2>"$scratch/error"; then exit 1; fi
grep -q 'since must be 60' "$scratch/error"
if "$tessera" report --plot farm.gif 2>"$scratch/error"; then exit 1; fi
grep -q 'SVG' "$scratch/error"
