# shellcheck shell=bash
# The Action without its binary: the same cut, in shell. It knows no server and
# no single tests; the exit code of the tests is all it tells. Sourced by main.sh.
set -u
export LC_ALL=C

usage() { printf '::error title=Mainstay::%s\n' "$1" >&2; exit 2; }
say() { printf 'Mainstay: %s\n' "$1"; }
# The name of each output and what it is set to are our own: paths, numbers, words.
output() { if [ -n "${GITHUB_OUTPUT:-}" ]; then printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"; fi; }

echo '::warning title=Mainstay::the Action has no binary here and could not build one; it cuts the suite in plain shell, and the tests alone decide'

mode=${INPUT_MODE:-plan}
index=${INPUT_SHARD_INDEX:-0}
total=${INPUT_SHARD_TOTAL:-1}
runner=${INPUT_RUNNER:-auto}
case "$mode" in plan | run | report) ;; *) usage 'unknown mode' ;; esac
case "$index$total" in *[!0-9]*) usage 'shard-index and shard-total are numbers' ;; esac
if [ "$total" -lt 1 ] || [ "$index" -ge "$total" ]; then usage 'shard-index is not below shard-total'; fi
cd "${GITHUB_WORKSPACE:-.}/${INPUT_WORKING_DIRECTORY:-.}" || usage 'working-directory is not a folder'
if [ "$runner" = auto ]; then
  if [ -f go.mod ]; then runner=go; else runner=generic; fi
fi
case "$runner" in go | generic) ;; *) usage 'unknown runner' ;; esac

if [ "$mode" = report ]; then
  output source fallback
  case "${INPUT_OUTCOME:-}" in
    success) output result passed; exit 0 ;;
    '') output result unknown; exit 0 ;;
    skipped)
      # Nothing was left out only where the plan had nothing to run.
      count=0
      for file in "${RUNNER_TEMP:-/tmp}/mainstay-fallback-$index-$total"/tests.txt; do
        if [ -s "$file" ]; then count=1; fi
      done
      if [ "$count" = 0 ]; then output result empty; exit 0; fi
      output result error
      say 'the step was skipped though it had tests to run'
      exit 1
      ;;
    failure | cancelled) output result failed; exit 1 ;;
    *) usage 'unknown outcome' ;;
  esac
fi

# words cuts a command line into words as xargs does, quotes included, and runs
# nothing of it: a word a line on standard output.
words() { printf '%s' "$1" | xargs printf '%s\n'; }

# patterns reads lines of items; those with * ? [ or { are globs over files.
patterns() {
  local line file
  shopt -s globstar nullglob
  while IFS= read -r line; do
    line=${line#"${line%%[![:space:]]*}"}
    line=${line%"${line##*[![:space:]]}"}
    case "$line" in
      '') ;;
      '!'*) usage 'patterns that exclude need the binary' ;;
      *[*?[]*)
        local found=0 IFS=
        # The pattern is to be split into files, and only that.
        # shellcheck disable=SC2086
        for file in $line; do
          if [ -f "$file" ]; then found=1; printf '%s\n' "$file"; fi
        done
        if [ "$found" = 0 ]; then say "pattern $line matches no file" >&2; return 1; fi
        ;;
      *) printf '%s\n' "$line" ;;
    esac
  done
}

# list prints the whole suite: "t" and an item, or "u" and a Go package without
# tests, which some shard has to compile all the same.
list() {
  local -a command
  local template='{{if or .TestGoFiles .XTestGoFiles}}t {{.ImportPath}}{{else if or .GoFiles .CgoFiles}}u {{.ImportPath}}{{else if .Error}}e {{.ImportPath}}{{end}}'
  if [ -n "${INPUT_LIST_COMMAND:-}" ]; then
    command=()
    local line lines
    lines=$(words "$INPUT_LIST_COMMAND") || return 1
    mapfile -t command <<<"$lines"
    lines=$("${command[@]}") || return 1
    while IFS= read -r line; do printf 't %s\n' "$line"; done <<<"$lines"
  elif [ "$runner" = go ]; then
    # shellcheck disable=SC2086
    go list -e -find -f "$template" -- ${INPUT_TESTS:-./...}
  else
    lines=$(printf '%s\n' "${INPUT_TESTS:-}" | patterns) || return 1
    while IFS= read -r line; do printf 't %s\n' "$line"; done <<<"$lines"
  fi
}

# only prints the items of one kind, sorted by bytes and without doubles.
only() { printf '%s\n' "$listed" | awk -v k="$1" 'substr($0, 1, 2) == k " " { s = substr($0, 3); gsub(/^[ \t\r]+|[ \t\r]+$/, "", s); if (s != "") print s }' | sort -u; }
# deal prints this shard's share of the lines it is given.
deal() { awk -v i="$index" -v n="$total" '(NR - 1) % n == i'; }

listed=$(list) || usage 'the suite could not be listed'
if [ -n "$(only e)" ]; then usage "no such package: $(only e | head -n 1)"; fi
all=$(only t)
untested=$(only u)
if [ -z "$all" ] && { [ "$runner" = generic ] || [ -n "${INPUT_LIST_COMMAND:-}" ]; }; then usage 'no items: give tests or list-command'; fi
if printf '%s\n' "$all" | grep -q '^-'; then usage 'an item begins with a dash and would be taken for an option'; fi
# The server may have cut the first attempt differently: only everything is safe.
if [ "${GITHUB_RUN_ATTEMPT:-1}" -gt 1 ] && [ -n "${INPUT_SERVER_URL:-}" ]; then index=0 total=1; fi
slice=$({ if [ -n "$all" ]; then printf '%s\n' "$all" | deal; fi; if [ -n "$untested" ]; then printf '%s\n' "$untested" | deal; fi; })
index=${INPUT_SHARD_INDEX:-0} total=${INPUT_SHARD_TOTAL:-1}

folder=${RUNNER_TEMP:-/tmp}/mainstay-fallback-$index-$total
mkdir -p "$folder" || exit 2
file=$folder/tests.txt
: >"$file"
if [ -n "$slice" ]; then printf '%s\n' "$slice" >"$file"; fi
items=()
if [ -n "$slice" ]; then mapfile -t items <"$file"; fi
output tests-file "$file"
output count "${#items[@]}"
output source fallback
output plan-id ''
output scope full
say "shard $((index + 1)) of $total: ${#items[@]} items, cut in shell"

if [ "$mode" = plan ]; then
  if [ "$total" -gt 1 ] && [ "${MAINSTAY_JOB_TOTAL:-}" = 1 ]; then
    # Without the lists: each job of the matrix cuts for itself, to the same result.
    rows=$(awk -v n="$total" 'BEGIN { for (i = 0; i < n; i++) printf "%s{\"shard\":%d,\"total\":%d}", (i ? "," : ""), i, n }')
    output matrix "{\"include\":[$rows]}"
  fi
  exit 0
fi

if [ "${#items[@]}" = 0 ]; then output result empty; exit 0; fi
command=()
if [ -n "${INPUT_COMMAND:-}" ]; then
  split=$(words "$INPUT_COMMAND") || usage 'command cannot be split into words: quotes do not match'
  while IFS= read -r word; do
    if [ "$word" = '{tests}' ]; then command+=("${items[@]}"); continue; fi
    word=${word//'{tests-file}'/"$file"}
    word=${word//'{results}'/"$folder/results"}
    word=${word//'{run}'/}
    word=${word//'{tests}'/"${items[*]}"}
    command+=("$word")
  done <<<"$split"
elif [ "$runner" = go ]; then
  command=(go test -count=1 "${items[@]}")
fi
if [ "${#command[@]}" = 0 ]; then usage 'command is empty'; fi
if [ "$total" -gt 1 ] && [ -n "${INPUT_COMMAND:-}" ]; then
  case "$INPUT_COMMAND" in *'{tests}'* | *'{tests-file}'*) ;; *) usage 'command has neither {tests} nor {tests-file}, so each shard would run everything' ;; esac
fi
if "${command[@]}"; then output result passed; exit 0; fi
output result failed
exit 1
