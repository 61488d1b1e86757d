#!/usr/bin/env bash
# Finds the Action's binary and becomes it. Where there is none it builds one,
# and where that fails too it cuts the suite by itself, in plain shell: our
# outage never turns a green build red, and never a red one green.
set -u

# The usual way costs no process: look, and exec.
case "${RUNNER_OS:-}" in
  macOS) os=darwin ;;
  Windows) os=windows ;;
  *) os=linux ;;
esac
case "${RUNNER_ARCH:-}" in
  ARM64) arch=arm64 ;;
  *) arch=amd64 ;;
esac
exe=""
if [ "$os" = windows ]; then exe=.exe; fi
root=${GITHUB_ACTION_PATH:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}

for bin in "${MAINSTAY_ACTION_BIN:-}" "$root/dist/mainstay-action-$os-$arch$exe"; do
  if [ -n "$bin" ] && [ -f "$bin" ] && [ -x "$bin" ]; then exec "$bin"; fi
done

# Otherwise build it once; the cache is named by the sources themselves.
build() {
  command -v go >/dev/null 2>&1 && [ -f "$root/go.mod" ] || return 1
  local hash dir
  hash=$(cat "$root"/action/*.go "$root"/action/suite/*.go "$root"/queue/shard/*.go "$root"/go.sum | git hash-object --stdin 2>/dev/null) || return 1
  dir=${RUNNER_TOOL_CACHE:-${RUNNER_TEMP:-/tmp}}/mainstay-action/$hash-$os-$arch
  bin=$dir/mainstay-action$exe
  if [ -x "$bin" ]; then return 0; fi
  mkdir -p "$dir" || return 1
  echo "Building the Mainstay Action…"
  # A name of its own and a rename: another job may be building as well.
  env -u GOFLAGS GOWORK=off CGO_ENABLED=0 go build -C "$root" -trimpath -ldflags '-s -w' -o "$bin.$$" ./action &&
    mv -f "$bin.$$" "$bin" && [ -x "$bin" ]
}
if [ "${MAINSTAY_ACTION_BUILD:-}" != no ] && build; then exec "$bin"; fi

# shellcheck source=fallback.sh
. "$root/action/scripts/fallback.sh"
