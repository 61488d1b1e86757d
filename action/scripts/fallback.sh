# shellcheck shell=bash
# The Action without its binary: the same cut, in shell. It knows no server and
# no single tests; the exit code of the tests is all it tells. Sourced by main.sh.
set -u
export LC_ALL=C

usage() { printf '::error title=Mainstay::%s\n' "$1"; exit 2; }
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

# list prints the whole suite, an item a line.
list() {
  local -a command
  if [ -n "${INPUT_LIST_COMMAND:-}" ]; then
    mapfile -t command < <(words "$INPUT_LIST_COMMAND")
    "${command[@]}"
  elif [ "$runner" = go ]; then
    # Packages without tests too: some shard has to compile them.
    # shellcheck disable=SC2086
    go list -e -find -f '{{if or .TestGoFiles .XTestGoFiles .GoFiles .CgoFiles}}{{.ImportPath}}{{end}}' -- ${INPUT_TESTS:-./...}
  else
    printf '%s\n' "${INPUT_TESTS:-}" | patterns
  fi
}

all=$(list) || usage 'the suite could not be listed'
all=$(printf '%s\n' "$all" | sed '/^[[:space:]]*$/d' | sort -u)
if [ -z "$all" ] && [ "$runner" = generic ]; then usage 'no items: give tests or list-command'; fi
if printf '%s\n' "$all" | grep -q '^-'; then usage 'an item begins with a dash and would be taken for an option'; fi
slice=$(printf '%s\n' "$all" | awk -v i="$index" -v n="$total" 'NF && (NR - 1) % n == i')
# The server may have cut the first attempt differently: only everything is safe.
if [ "${GITHUB_RUN_ATTEMPT:-1}" -gt 1 ] && [ -n "${INPUT_SERVER_URL:-}" ]; then slice=$all; fi

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
  while IFS= read -r word; do
    if [ "$word" = '{tests}' ]; then command+=("${items[@]}"); continue; fi
    word=${word//'{tests-file}'/"$file"}
    word=${word//'{results}'/"$folder/results"}
    word=${word//'{tests}'/"${items[*]}"}
    command+=("$word")
  done < <(words "$INPUT_COMMAND")
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
