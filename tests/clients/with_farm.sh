#!/usr/bin/env bash
# Runs a client against a farm of its own: starts one that asks for keys on a free port, gives the
# farm's address and a user's key to the command as its last two words (and as TESSERA_SERVER and
# TESSERA_KEY; an administrator's is in TESSERA_ADMIN_KEY), stops the farm, and ends as the command
# ended.
#
#     tests/clients/with_farm.sh build/dev/bin/tessera node tests/clients/openai.mjs
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: tests/clients/with_farm.sh PROGRAM COMMAND..." >&2; exit 2; }
tessera=$1
shift
scratch=$(mktemp -d)
server=""

stop() {
    [ -n "$server" ] && kill -INT "$server" 2>/dev/null && wait "$server" 2>/dev/null
    rm -rf "$scratch"
}
trap stop EXIT

touch "$scratch/greeting"
"$tessera" serve --port 0 --workers 1 --threads 1 --data "$scratch/farm" --set server.keys=always \
    >"$scratch/greeting" 2>"$scratch/log" &
server=$!
until grep -q 'Ctrl-C' "$scratch/greeting"; do
    kill -0 "$server" 2>/dev/null || { cat "$scratch/log" >&2; exit 1; }
    read -rt 0.1 <> <(:) || true
done
TESSERA_SERVER=$(grep -om1 'http://[^ ]*' "$scratch/greeting")
TESSERA_KEY=$(grep -om1 'tsr_[A-Za-z0-9_]*' "$scratch/greeting")
export TESSERA_SERVER TESSERA_KEY TESSERA_ADMIN_KEY=$TESSERA_KEY
TESSERA_KEY=$("$tessera" keys add client 2>/dev/null)

code=0
"$@" "$TESSERA_SERVER" "$TESSERA_KEY" || code=$?
[ "$code" = 0 ] || { echo "The farm's log:" >&2; tail -n 20 "$scratch/log" >&2; }
exit "$code"
