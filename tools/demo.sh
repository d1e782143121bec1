#!/usr/bin/env bash
# A small farm on this machine: starts it with two worker processes, lets two tenants hand in jobs at
# two priorities, shows how they go, saves the pictures into demo/ and stops. `make demo` calls it
# after the build; `make serve` is the same farm, kept running.
set -euo pipefail
cd "$(dirname "$0")/.."
tessera=${TESSERA:-build/release/bin/tessera}
data=$(mktemp -d)
server=""

stop() {
    [ -n "$server" ] && kill -INT "$server" 2>/dev/null && wait "$server" 2>/dev/null
    rm -rf "$data"
}
trap stop EXIT

mkdir -p demo
rm -f demo/*.png
"$tessera" serve --port 0 --workers 2 --data "$data/farm" --set server.keys=always \
    >"$data/serve.txt" 2>"$data/log.txt" &
server=$!
until url=$(grep -om1 'http://[^ ]*' "$data/serve.txt") && [ -n "$url" ]; do
    kill -0 "$server" 2>/dev/null || { cat "$data/log.txt" >&2; exit 1; }
    read -rt 0.1 <> <(:) || true
done
export TESSERA_SERVER=$url
admin=$(grep -om1 'tsr_[A-Za-z0-9_]*' "$data/serve.txt")
anna=$(TESSERA_KEY=$admin "$tessera" keys add anna 2>/dev/null)
ben=$(TESSERA_KEY=$admin "$tessera" keys add ben 2>/dev/null)
printf 'The farm serves at %s with two workers; anna and ben hand in jobs.\n' "$url"

submit() {  # key, priority, count, seed, prompt
    TESSERA_KEY=$1 "$tessera" submit "$5" -m tessera-tiny --priority "$2" --count "$3" --seed "$4"
}
# Ben's many pictures come first, and anna's do not wait behind them.
many=$(submit "$ben" batch 6 20 "an autumn forest at noon, a lake, clouds")
boats=$(submit "$ben" batch 2 3 "a calm sea under a pink sky, two boats")
lighthouse=$(submit "$anna" interactive 1 3 "a lighthouse by the sea at dawn")
sunset=$(submit "$anna" interactive 1 4 "the sea at sunset, a boat with a red sail, the sun")

TESSERA_KEY=$anna "$tessera" watch "$lighthouse" "$sunset" --out demo >/dev/null
TESSERA_KEY=$ben "$tessera" watch "$many" "$boats" --out demo >/dev/null

pictures=(demo/*.png)
cat <<END

${#pictures[@]} pictures (128 x 128, by the small model that comes with Tessera) are in demo/:
$(printf '  %s\n' "${pictures[@]}")

Next:
  make serve                                  the same farm, kept running, with a page in the browser
  $tessera submit "a pine forest at dawn, fog" --count 4 --out pictures
  $tessera render "a pine forest at dawn, fog"     without a farm
The words that this small model knows: $tessera models tessera-tiny
END
