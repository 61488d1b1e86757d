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
# A job outside a matrix that plans for several shards plans for others too.
plan_job=
if [ "$mode" = plan ] && [ "${INPUT_SHARD_TOTAL:-1}" != 1 ]; then
  case "${MAINSTAY_JOB_TOTAL:-}/${INPUT_SHARD_INDEX:-}" in 1/* | /) plan_job=yes ;; esac
fi
index=${INPUT_SHARD_INDEX:-0}
total=${INPUT_SHARD_TOTAL:-1}
runner=${INPUT_RUNNER:-auto}
case "$mode" in plan | run | report | verify) ;; *) usage 'unknown mode' ;; esac
case "$index$total" in *[!0-9]*) usage 'shard-index and shard-total are numbers' ;; esac
if [ "$total" -lt 1 ] || [ "$index" -ge "$total" ]; then usage 'shard-index is not below shard-total'; fi
if [ -z "${INPUT_SHARD_INDEX:-}" ] && [ "$total" -gt 1 ] && [ -z "$plan_job" ] && [ "$mode" != verify ]; then
  usage 'shard-index is empty: say which of the shards this job is'
fi
cd "${GITHUB_WORKSPACE:-.}/${INPUT_WORKING_DIRECTORY:-.}" || usage 'working-directory is not a folder'
if [ "$runner" = auto ]; then
  if [ -f go.mod ]; then
    runner=go
  elif [ -f pytest.ini ] || [ -f .pytest.ini ] || [ -f conftest.py ] || grep -qsF -e '[tool.pytest' -e '[tool:pytest]' pyproject.toml setup.cfg || grep -qsF '[pytest]' tox.ini; then
    runner=pytest
  elif grep -qs '"jest"[[:space:]]*:' package.json; then
    runner=jest
  else
    runner=generic
  fi
fi
case "$runner" in go | pytest | jest | generic) ;; *) usage 'unknown runner' ;; esac

if [ "$mode" = verify ]; then
  # Nobody can be asked for a verdict, so the jobs that ran the tests decide.
  case "${INPUT_OUTCOME:-}" in
    success) output result unknown; exit 0 ;;
    failure | cancelled | skipped) output result failed; exit 1 ;;
    *) usage 'mode verify needs outcome' ;;
  esac
fi

if [ "$mode" = report ]; then
  output source fallback
  case "${INPUT_OUTCOME:-}" in
    success) output result passed; exit 0 ;;
    '') output result unknown; exit 0 ;;
    skipped)
      # Nothing was left out only where the plan, or the list in tests, had nothing to run.
      planned=${RUNNER_TEMP:-/tmp}/mainstay-fallback-$index-$total/tests.txt
      if [ ! -s "$planned" ] && { [ -e "$planned" ] || [ -z "${INPUT_TESTS:-}" ]; }; then output result empty; exit 0; fi
      output result error
      say 'the step was skipped though it had tests to run'
      exit 1
      ;;
    failure | cancelled)
      output result failed
      if [ "${INPUT_FAIL_ON:-}" = never ]; then exit 0; fi
      exit 1
      ;;
    *) usage 'unknown outcome' ;;
  esac
fi

# words cuts a command line into words as xargs does, quotes included, and runs
# nothing of it: a word a line on standard output.
words() { printf '%s' "$1" | xargs printf '%s\n'; }

# patterns prints the items that the input tests names; the files are only listed
# where a line is a glob.
patterns() {
  # shellcheck disable=SC2154 # root is what machine.sh found
  case "${INPUT_TESTS:-}" in
    *['*?[{']*) find -L . -type f ;;
  esac |
    INPUT_TESTS="${INPUT_TESTS:-}" awk -f "$root/action/scripts/patterns.awk"
}

# read_lines sets the array named items to the lines of standard input. (macOS's
# bash has no mapfile.)
read_lines() {
  local line
  items=()
  while IFS= read -r line || [ -n "$line" ]; do items+=("$line"); done
}

# list prints the whole suite: "t" and an item, or "u" and a Go package without
# tests, which some shard has to compile all the same.
list() {
  local -a items
  local template='{{if or .TestGoFiles .XTestGoFiles}}t {{.ImportPath}}{{else if or .GoFiles .CgoFiles}}u {{.ImportPath}}{{else if .Error}}e {{.ImportPath}}{{end}}'
  if [ -n "${INPUT_LIST_COMMAND:-}" ]; then
    local line lines
    lines=$(words "$INPUT_LIST_COMMAND") || return 1
    read_lines <<<"$lines"
    lines=$("${items[@]}") || return 1
    while IFS= read -r line; do printf 't %s\n' "$line"; done <<<"$lines"
  elif [ "$runner" = go ]; then
    # shellcheck disable=SC2086
    go list -e -find -f "$template" -- ${INPUT_TESTS:-./...}
  elif [ "$runner" = jest ] && [ -z "${INPUT_TESTS:-}" ]; then
    local line lines
    lines=$(npx --no-install jest --listTests) || return 1
    while IFS= read -r line; do printf 't %s\n' "${line#"$(pwd -P)/"}"; done <<<"$lines"
  elif [ "$runner" = pytest ] && [ -z "${INPUT_TESTS:-}" ]; then
    if grep -qsE '^[[:space:]]*(testpaths|python_files)' pytest.ini .pytest.ini pyproject.toml tox.ini setup.cfg; then
      # Which files those mean is for pytest to say: it runs them all, in every shard.
      printf 't .\n'
    else
      find . -mindepth 1 -type d \( -name '.*' -o -name '*.egg' -o -name _darcs -o -name build -o -name CVS -o -name dist -o -name node_modules \
        -o -name venv -o -name '{arch}' -o -name __pycache__ -o -exec test -e '{}/pyvenv.cfg' \; \) -prune \
        -o \( -name 'test_*.py' -o -name '*_test.py' \) -type f -print | sed 's|^\./|t |'
    fi
  else
    lines=$(patterns) || return 1
    while IFS= read -r line; do printf 't %s\n' "$line"; done <<<"$lines"
  fi
}

# only prints the items of one kind, sorted by bytes and without doubles.
only() { printf '%s\n' "$listed" | awk -v k="$1" 'substr($0, 1, 2) == k " " { s = substr($0, 3); gsub(/^[ \t\r]+|[ \t\r]+$/, "", s); if (s != "") print s }' | sort -u; }
# deal prints this shard's share of the lines it is given.
deal() { awk -v i="$index" -v n="$total" '(NR - 1) % n == i'; }

# matrix prints the cut of a plan job, as the binary does: with the lists, or
# without. Count tells a row without its list from one that has nothing to run.
matrix() {
  printf '%s\n' "$all" | awk -v n="$total" -v lists="$1" -v every="$every" '
    $0 != "" {
      gsub(/\\/, "&&"); gsub(/"/, "\\\"")
      for (i = 0; i < n; i++) if (every || (NR - 1) % n == i) { tests[i] = tests[i] (count[i]++ ? "\\n" : "") $0 }
    }
    END {
      printf "{\"include\":["
      for (i = 0; i < n; i++) {
        printf "%s{\"shard\":%d,\"total\":%d,\"count\":%d", (i ? "," : ""), i, n, count[i]
        if (lists == "yes") printf ",\"tests\":\"%s\"", tests[i]
        printf "}"
      }
      printf "]}"
    }'
}

listed=$(list) || usage 'the suite could not be listed'
if [ -n "$(only e)" ]; then usage "no such package: $(only e | head -n 1)"; fi
all=$(only t)
untested=$(only u)
if [ -z "$all" ] && { [ "$runner" != go ] || [ -n "${INPUT_LIST_COMMAND:-}" ]; }; then usage 'no items: give tests or list-command'; fi
if printf '%s\n' "$all" | grep -q '^-'; then usage 'an item begins with a dash and would be taken for an option'; fi
# The server may have cut the first attempt differently: only everything is safe.
if [ "${GITHUB_RUN_ATTEMPT:-1}" -gt 1 ] && [ -n "${INPUT_SERVER_URL:-}" ] && [ -z "$plan_job" ]; then index=0 total=1; fi
# So it is where every shard was asked to run everything, where the cut goes by
# sizes, which is the binary's to make, and where pytest alone knows its files.
every=""
if [ "${INPUT_FALLBACK:-round-robin}" != round-robin ] || [ "$all" = . ]; then index=0 total=1 every=yes; fi
slice=$({ if [ -n "$all" ]; then printf '%s\n' "$all" | deal; fi; if [ -n "$untested" ]; then printf '%s\n' "$untested" | deal; fi; })
index=${INPUT_SHARD_INDEX:-0} total=${INPUT_SHARD_TOTAL:-1}

folder=${RUNNER_TEMP:-/tmp}/mainstay-fallback-$index-$total
mkdir -p "$folder" || exit 2
file=$folder/tests.txt
: >"$file"
if [ -n "$slice" ]; then printf '%s\n' "$slice" >"$file"; fi
read_lines <"$file"
output tests-file "$file"
output count "${#items[@]}"
output source fallback
output plan-id ''
output scope full
say "shard $((index + 1)) of $total: ${#items[@]} items, cut in shell"

if [ "$mode" = plan ]; then
  if [ -n "$plan_job" ]; then
    rows=$(matrix yes)
    if [ "${#rows}" -gt 262144 ]; then
      rows=$(matrix no)
      say 'the lists are too large for a matrix and are left out of it: each of its jobs has to plan for itself'
    fi
    output matrix "$rows"
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
    word=${word//'{skip}'/}
    word=${word//'{batch}'/0}
    word=${word//'{tests}'/"${items[*]}"}
    command+=("$word")
  done <<<"$split"
elif [ "$runner" = go ]; then
  command=(go test -count=1 "${items[@]}")
elif [ "$runner" = pytest ]; then
  python=python3
  if ! "$python" -c 'import pytest' 2>/dev/null; then python=python; fi
  command=("$python" -m pytest "${items[@]}")
elif [ "$runner" = jest ]; then
  command=(npx --no-install jest --ci --runTestsByPath "${items[@]}")
fi
if [ "${#command[@]}" = 0 ]; then usage 'command is empty'; fi
if [ "$total" -gt 1 ] && [ -n "${INPUT_COMMAND:-}" ]; then
  case "$INPUT_COMMAND" in *'{tests}'* | *'{tests-file}'*) ;; *) usage 'command has neither {tests} nor {tests-file}, so each shard would run everything' ;; esac
fi
"${command[@]}"
code=$?
# pytest found no test in this slice; in the whole suite that would be nothing.
if [ "$runner" = pytest ] && [ "$code" = 5 ] && [ "$total" -gt 1 ]; then code=0; fi
if [ "$code" = 0 ]; then output result passed; exit 0; fi
output result failed
if [ "${INPUT_FAIL_ON:-}" = never ]; then exit 0; fi
exit 1
