# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is for get.sh and main.sh
# What this machine is, what the Action's sources are, and how a file is hashed.
# Sourced; it starts no process by itself. Plain enough for macOS's bash 3.2.

case "${RUNNER_OS:-}" in
  macOS) os=darwin ;;
  Windows) os=windows ;;
  *) os=linux ;;
esac
case "${RUNNER_ARCH:-X64}" in
  X64) arch=amd64 ;;
  ARM64) arch=arm64 ;;
  *) arch=other ;; # nothing is released for it; what is built here fits it
esac
exe=""
if [ "$os" = windows ]; then
  exe=.exe
  arch=amd64 # Windows on ARM runs it as well
fi
root=${GITHUB_ACTION_PATH:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
root=${root//\\//}

# sum prints a line for each file: its SHA-256, two blanks, its name.
sum() {
  if command -v sha256sum >/dev/null 2>&1; then
    sha256sum "$@"
  else
    shasum -a 256 "$@"
  fi | sed 's/^\([0-9a-f]\{64\}\) [ *]/\1  /' # Windows marks binary files
}

# sum_of prints the SHA-256 of one file, read from standard input.
sum_of() {
  local line
  line=$(sum <"$1" 2>/dev/null) || return 1
  printf '%s\n' "${line%% *}"
}

# sources prints the names of the files that the binary is built from.
sources() (
  LC_ALL=C
  cd "$root" || exit 1
  for file in action/*.go action/suite/*.go queue/shard/*.go go.mod go.sum; do
    case "$file" in *_test.go) ;; *) printf '%s\n' "$file" ;; esac
  done
)

# digest prints one SHA-256 over the names and contents of all of them.
digest() (
  files=()
  while IFS= read -r file; do files+=("$file"); done <<<"$(sources)"
  cd "$root" || exit 1
  line=$(set -o pipefail; sum "${files[@]}" | sum) || exit 1
  case "${line%% *}" in
    *[!0-9a-f]* | "") exit 1 ;;
  esac
  printf '%s\n' "${line%% *}"
)

# cache_folder prints where binaries are kept from job to job.
cache_folder() {
  local folder=${RUNNER_TOOL_CACHE:-${RUNNER_TEMP:-/tmp}}
  printf '%s/mainstay-action\n' "${folder//\\//}"
}
