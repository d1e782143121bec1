#!/usr/bin/env bash
# Renders four pictures with the demo model into demo/. `make demo` calls it after the build.
set -euo pipefail
cd "$(dirname "$0")/.."
tessera=${TESSERA:-build/release/bin/tessera}
mkdir -p demo

render() {
    "$tessera" render "$2" --seed "$3" --out "demo/$1.png" >/dev/null
}

render lighthouse "a lighthouse by the sea at dawn" 7
render mountains "snowy mountains under a purple sunset sky, a lake in the foreground" 42
render forest "an autumn forest at noon, a lake" 3
render night "the ocean at night, a full moon, stars" 5

cat <<END

Four pictures, 128 x 128 each:
$(printf '  %s\n' demo/*.png)

Next: $tessera render "desert dunes at noon, two cacti" --count 4
The words that this small model knows: $tessera models tessera-tiny
END
