#!/usr/bin/env bash
# Becomes the Action's binary: the one that get.sh found and checked. Where there
# is none it builds one, and where that fails too it cuts the suite by itself, in
# plain shell: our outage never turns a green build red, and never a red one green.
set -u
# A file that this machine cannot run is no binary; go on without it.
shopt -s execfail

# The usual way costs no process: look, and exec.
for bin in "${MAINSTAY_ACTION_BIN:-}" "${MAINSTAY_ACTION_GOT:-}"; do
  if [ -n "$bin" ] && [ -f "$bin" ] && [ -x "$bin" ]; then exec "$bin"; fi
done
# shellcheck source=machine.sh
. "${GITHUB_ACTION_PATH:-$(dirname "${BASH_SOURCE[0]}")/../..}/action/scripts/machine.sh"

# Otherwise build it once; the cache is named by the sources themselves.
build() {
  command -v go >/dev/null 2>&1 && [ -f "$root/go.mod" ] || return 1
  local hash dir
  hash=$(digest 2>/dev/null) || return 1
  dir=$(cache_folder)/built-$hash-$os-$arch
  bin=$dir/mainstay-action$exe
  if [ -x "$bin" ]; then return 0; fi
  mkdir -p "$dir" || return 1
  echo "Building the Mainstay Action…"
  # A name of its own and a rename: another job may be building as well.
  env -u GOFLAGS -u GOOS -u GOARCH GOWORK=off CGO_ENABLED=0 go build -C "$root" -trimpath -tags nethttpomithttp2 -ldflags '-s -w' -o "$bin.$$" ./action &&
    mv -f "$bin.$$" "$bin" && [ -x "$bin" ]
}
if [ "${MAINSTAY_ACTION_BUILD:-}" != no ] && build; then exec "$bin"; fi

# shellcheck source=fallback.sh
. "$root/action/scripts/fallback.sh"
