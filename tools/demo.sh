#!/usr/bin/env bash
# Renders four pictures with the demo model into demo/. `make demo` calls it after the build.
set -euo pipefail
cd "$(dirname "$0")/.."
tessera=${TESSERA:-build/release/bin/tessera}
mkdir -p demo

render() {  # name, prompt, seed
    "$tessera" render "$2" -m tessera-tiny --seed "$3" --out "demo/$1.png" >/dev/null
}

render lighthouse "a lighthouse by the sea at dawn" 3
render forest "an autumn forest at noon, a lake, clouds" 4
render sunset "the sea at sunset, a boat with a red sail, the sun" 4
render boats "a calm sea under a pink sky, two boats" 3

cat <<END

Four pictures by the small model that comes with Tessera (128 x 128):
$(printf '  %s\n' demo/{lighthouse,forest,sunset,boats}.png)

Next: $tessera render "a pine forest at dawn, fog" --count 4
The words that this small model knows: $tessera models tessera-tiny
END
