#!/usr/bin/env bash
# Gets the released binary of exactly these sources, checks it against
# action/checksums.txt beside them, and says where it is (output bin). Nothing
# is run that has another hash. It never fails the job and takes 20 seconds at
# most: where it finds none, main.sh builds one or cuts the suite in shell.
set -u

# shellcheck source=machine.sh
. "${GITHUB_ACTION_PATH:-$(dirname "${BASH_SOURCE[0]}")/../..}/action/scripts/machine.sh"
releases=${MAINSTAY_RELEASES_URL:-https://github.com/mainstay-ci/mainstay/releases/download}
limit=${MAINSTAY_GET_SECONDS:-18} # for the network, all in all
case "$limit" in *[!0-9]* | "") limit=18 ;; esac
if [ "$limit" -gt 18 ]; then limit=18; fi
most=9437184 # bytes; no binary of ours is larger

say() { printf 'Mainstay: %s\n' "$1"; }
warn() { printf '::warning title=Mainstay::%s\n' "$1"; }
found() { if [ -n "${GITHUB_OUTPUT:-}" ]; then printf 'bin=%s\n' "$1" >>"$GITHUB_OUTPUT"; fi; }

# expect reads what the release's files must be: wanted and built_from.
expect() {
  local first second third
  wanted="" built_from=""
  while read -r first second third; do
    if [ "$first $second" = '# sources:' ]; then built_from=$third; fi
    if [ "$second" = "$name" ]; then wanted=$first; fi
  done <"$root/action/checksums.txt"
  case "$wanted" in *[!0-9a-f]*) wanted="" ;; esac
  [ "${#wanted}" = 64 ] && [ "${#built_from}" = 64 ]
}

# download writes the file of an address to a path, within the limit, in two tries.
download() {
  local only='=https' began=$SECONDS left status
  command -v curl >/dev/null 2>&1 || return 1
  case "$1" in http://127.0.0.1:*) only='=http' ;; esac
  for _ in 1 2; do
    left=$((limit - (SECONDS - began)))
    if [ "$left" -lt 1 ]; then return 1; fi
    curl -q --silent --show-error --fail --location --max-redirs 5 --proto "$only" --proto-redir "$only" --connect-timeout 5 \
      --speed-limit 1000 --speed-time 6 --max-time "$left" --max-filesize "$most" -- "$1" | head -c "$((most + 1))" >"$2"
    status=${PIPESTATUS[0]}
    if [ "$status" = 0 ]; then return 0; fi
  done
  return 1
}

get() {
  local version name wanted built_from folder bin part
  { read -r version <"$root/action/version"; } 2>/dev/null || return
  name=mainstay-action_${version}_${os}_${arch}$exe
  expect 2>/dev/null || return
  # Other sources than the release's: it would be a binary of something else.
  if [ "$(digest 2>/dev/null)" != "$built_from" ]; then return; fi

  folder=$(cache_folder)
  bin=$folder/$wanted/$name
  if [ -f "$bin" ]; then
    if [ -x "$bin" ] && [ "$(sum_of "$bin")" = "$wanted" ]; then found "$bin"; return; fi
    warn "the tool cache holds another file than version $version of the Action; it is not run"
  fi
  mkdir -p "$folder/$wanted" 2>/dev/null || return
  # A name of its own and a rename: another job may be getting it as well.
  part=$bin.$$.part
  if ! download "$releases/v$version/$name" "$part"; then
    say "version $version of the Action could not be downloaded"
  elif [ "$(sum_of "$part")" != "$wanted" ]; then
    warn "what was downloaded is not version $version of the Action: its SHA-256 is another; it is not run"
  elif chmod 755 "$part" && mv -f "$part" "$bin"; then
    found "$bin"
  fi
  rm -f "$part"
}

if [ -z "${MAINSTAY_ACTION_BIN:-}" ]; then get; fi
exit 0
