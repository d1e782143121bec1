#!/usr/bin/env bash
# Cheap checks first: layering, forbidden forms, format, shell syntax; then clang-tidy on the C++
# files that changed since BASE (default: the parent of the newest commit; all files if there is none).
set -euo pipefail
cd "$(dirname "$0")/.."
failed=0

python3 tools/check_layers.py || failed=1
python3 tools/check_docs.py || failed=1

mapfile -t sources < <(git ls-files --cached --others --exclude-standard '*.h' '*.cpp' ':!training')
clang-format-14 --dry-run --Werror "${sources[@]}" || { echo "lint: run 'make format'"; failed=1; }

for script in $(git ls-files --cached --others --exclude-standard '*.sh' .ci/run); do
    bash -n "$script" || failed=1
done

# g++ 12 miscompiles braced temporaries in co_await statements (docs/adr/0002-errors-and-coroutines.md).
if grep -nE 'co_await[^;]*\{' "${sources[@]}"; then
    echo "lint: name the value first, then await it"
    failed=1
fi
if git grep -nE '\b(TODO|FIXME|XXX)\b' -- '*.h' '*.cpp' '*.py' '*.sh' ':!tools/lint.sh'; then
    echo "lint: mend it, or open an issue"
    failed=1
fi

base=${BASE:-$(git rev-parse --verify --quiet HEAD~1 || true)}
if [ -n "$base" ]; then
    mapfile -t changed < <({ git diff --name-only --diff-filter=d "$base" -- '*.cpp'
        git ls-files --others --exclude-standard '*.cpp'; } | sort -u)
else
    mapfile -t changed < <(git ls-files '*.cpp')
fi
if [ "${#changed[@]}" -gt 0 ]; then
    # clang's own build tree knows the flags that clang-tidy understands.
    [ -f build/fuzz/compile_commands.json ] || cmake --preset fuzz >/dev/null
    known=$(mktemp)
    trap 'rm -f "$known"' EXIT
    grep -o '"file": "[^"]*"' build/fuzz/compile_commands.json | cut -d'"' -f4 >"$known"
    for file in "${changed[@]}"; do
        if grep -qxF "$PWD/$file" "$known"; then
            printf '%s\0' "$file"
        fi
    done | xargs -0 --no-run-if-empty -n 1 -P "$(nproc)" clang-tidy-19 -p build/fuzz --quiet 2>/dev/null ||
        failed=1
fi

[ "$failed" = 0 ] && echo "lint: ${#sources[@]} sources, ${#changed[@]} through clang-tidy: clean"
exit "$failed"
