#!/usr/bin/env bash
# Installs what is missing to build, test, lint or benchmark Tessera on Debian 12, and nothing that
# is there already. Idempotent; takes seconds when everything is in place.
#
#   tools/setup.sh build test     # the groups of tools/debian-packages.txt; default: build
#   tools/setup.sh monitor        # also those of tools/debian-services.txt, which are only unpacked
set -euo pipefail
cd "$(dirname "$0")/.."
groups=("${@:-build}")

say() { printf '\033[1m%s\033[0m\n' "setup: $*" >&2; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

packages_of_groups() {
    awk -v groups=" ${groups[*]} " '!/^#/ && NF == 2 && index(groups, " " $1 " ") {print $2}' "$1"
}

install_debian_packages() {
    local wanted missing sudo=()
    wanted=$(packages_of_groups tools/debian-packages.txt)
    # npm's Debian package is large; any npm will do.
    command -v npm >/dev/null || wanted+=$'\n'npm
    missing=$(comm -23 <(sort -u <<<"$wanted") \
        <(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' | awk '$1 == "ii" {print $2}' | sort -u))
    [ -z "$missing" ] && return
    command -v apt-get >/dev/null || die "needs Debian 12's apt-get to install: $(echo $missing)"
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "run as root, or install sudo, to install: $(echo $missing)"
        sudo=(sudo)
    fi
    say "installing Debian packages: $(echo $missing)"
    "${sudo[@]}" apt-get update -qq
    # shellcheck disable=SC2086
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# Services are fetched as apt knows them, checked by its signatures, and not installed.
unpack_debian_services() {
    local room=third_party/debian missing work package
    missing=$(packages_of_groups tools/debian-services.txt |
        while read -r package; do [ -e "$room/.have/$package" ] || echo "$package"; done)
    [ -z "$missing" ] && return
    say "unpacking into $room:" $missing
    work=$(mktemp -d)
    trap 'rm -rf "$work"' RETURN
    # shellcheck disable=SC2086
    (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root $missing) ||
        die "apt-get cannot fetch these; run apt-get update and try again"
    mkdir -p "$room/.have"
    for package in $missing; do
        dpkg-deb -x "$work/${package}"_*.deb "$room"
        touch "$room/.have/$package"
    done
}

# What a folder's package-lock.json pins, as it pins it; nothing when it is there already.
install_npm_packages() {
    local room=$1 what=$2
    cmp -s "$room/package-lock.json" "$room/node_modules/.tessera-lock" && return
    say "fetching $what from npm"
    (cd "$room" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    cp "$room/package-lock.json" "$room/node_modules/.tessera-lock"
}

install_onnxruntime() {
    [ -n "${ONNXRUNTIME_ROOT:-}" ] && return
    local room=third_party/onnxruntime
    local library=$room/node_modules/com.github.asus4.onnxruntime/Plugins/Linux/x64
    [ "$(uname -m)" = x86_64 ] || die "the pinned ONNX Runtime is for x86-64; set ONNXRUNTIME_ROOT to another"
    install_npm_packages $room "ONNX Runtime (150 MB)"
    # The library calls itself libonnxruntime.so.1, the package does not.
    ln -sf libonnxruntime.so $library/libonnxruntime.so.1
}

# Clients as their makers publish them, and what drives a browser.
install_clients() {
    install_npm_packages tests/clients "OpenAI's client (10 MB)"
    install_npm_packages tests/web "Playwright's library (10 MB)"
    install_npm_packages tests/monitor "Grafana's schema and TypeScript (30 MB)"
}

# The vocabulary of OpenAI's CLIP, for checkpoints that bring none of their own: the first 48,894
# merges of the full list, as the published tokenizers use them.
install_clip_vocabulary() {
    local room=third_party/clip-vocabulary
    local sum=9fd691f7c8039210e0fced15865466c65820d09b63988b0174bfe25de299051a
    local merges=$room/clip_merges.txt
    [ -f $merges ] && return
    say "fetching the CLIP vocabulary from PyPI (1.5 MB)"
    local work
    work=$(mktemp -d)
    trap 'rm -rf "$work"' RETURN
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
        --require-hashes -r $room/requirements.txt -d "$work"
    unzip -q -p "$work"/open_clip_torch-*.whl open_clip/bpe_simple_vocab_16e6.txt.gz |
        gzip -dc | sed -n -e '1s/.*#/#/' -e '1,48895p' >"$work/merges"
    echo "$sum  $work/merges" | sha256sum --check --quiet ||
        die "the CLIP vocabulary from PyPI is not the one expected"
    mv "$work/merges" $merges
}

install_debian_packages
unpack_debian_services
install_onnxruntime
install_clip_vocabulary
case " ${groups[*]} " in *" test "*) install_clients ;; esac
