package runner

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// Fail-fast is GitHub's default: one red shard ends the others of its matrix.
func TestFailFastCancelsTheOthers(t *testing.T) {
	s := newStory(t, `
jobs:
  test:
    runs-on: x
    strategy: {matrix: {shard: [bad, slow, never], include: [{shard: bad, kind: b}]}, max-parallel: 2}
    steps:
      - run: |
          if [ "${{ matrix.shard }}" = bad ]; then read word < "$PIPE"; exit 1; fi
          echo running > "$PIPE"
          sleep 60
      - if: cancelled()
        run: echo tidied
`)
	s.pipe(t)
	s.run(t)
	s.expect(t, map[string]string{"": Failure, "test (bad, b)": Failure, "test (slow)": Cancelled, "test (never)": Cancelled})
	s.expectLog(t, "test (slow)", "tidied")
	if s.begun[3] {
		t.Error("the third job began although two ran already and one failed")
	}
}

// The forge cancels a run when its branch goes away: everything that runs must
// end, children that ignore an interrupt too, and clean-up still has its turn.
func TestCancellingARunKillsItsProcesses(t *testing.T) {
	s := newStory(t, `
jobs:
  long:
    runs-on: x
    steps:
      - run: |
          (trap '' INT; exec 3> "$PIPE"; echo running >&3; sleep 60) &
          wait
      - run: echo "not this"
      - if: always()
        run: echo "tidy, job ${{ job.status }}" || true
  later:
    needs: long
    runs-on: x
    steps: [{run: echo no}]
  report:
    needs: long
    if: always()
    runs-on: x
    steps: [{run: 'echo "long=${{ needs.long.result }}"'}]
`)
	name := s.pipe(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	dead := make(chan error, 1)
	go func() {
		pipe, err := os.Open(name)
		if err == nil {
			defer pipe.Close()
			_ = pipe.SetReadDeadline(time.Now().Add(20 * time.Second))
			_, _ = io.ReadFull(pipe, make([]byte, len("running\n")))
			cancel()
			_, err = io.Copy(io.Discard, pipe) // ends when nobody has it open any more
		}
		dead <- err
	}()
	conclusion := Run(ctx, s.spec, s.forge)
	if err := <-dead; err != nil {
		t.Errorf("the child of the step is still there: %v", err)
	}
	s.conclusion = conclusion
	s.expect(t, map[string]string{"": Cancelled, "long": Cancelled, "later": Cancelled, "report": Success})
	s.expectLog(t, "long", "tidy, job cancelled")
	s.expectLog(t, "report", "long=cancelled")
	if log := s.result(t, "long").Log; strings.Contains(log, "not this") {
		t.Errorf("a step ran after the cancellation:\n%s", log)
	}
}

// Timeouts and tolerated failures end as GitHub says they do.
func TestTimeoutsAndToleratedFailures(t *testing.T) {
	s := newStory(t, `
jobs:
  slow:
    runs-on: x
    timeout-minutes: 0.001
    steps: [{run: sleep 60}, {if: always(), run: echo after}]
  step:
    runs-on: x
    steps:
      - timeout-minutes: 0.001
        continue-on-error: True
        id: s
        run: sleep 60
      - run: echo "${{ steps.s.outcome }} ${{ steps.s.conclusion }}"
  soft:
    runs-on: x
    continue-on-error: ${{ github.ref == 'refs/heads/main' }}
    steps: [{run: exit 1}]
  after:
    needs: soft
    runs-on: x
    steps: [{run: 'echo "soft=${{ needs.soft.result }}"'}]
`).run(t)
	s.expect(t, map[string]string{"": Cancelled, "slow": Cancelled, "step": Success, "soft": Failure, "after": Success})
	s.expectLog(t, "slow", "after")
	s.expectLog(t, "step", "failure success")
	s.expectLog(t, "after", "soft=success")
}

// A server that one step starts serves the next steps, and ends with the job.
func TestABackgroundProcessLivesAsLongAsItsJob(t *testing.T) {
	s := newStory(t, `
jobs:
  a:
    runs-on: x
    steps:
      - run: (exec 3> "$PIPE"; sleep 60) & echo "PID=$!" >> "$GITHUB_ENV"
      - run: kill -0 "$PID"
`)
	name := s.pipe(t)
	dead := make(chan error, 1)
	go func() {
		pipe, err := os.Open(name)
		if err == nil {
			defer pipe.Close()
			_ = pipe.SetReadDeadline(time.Now().Add(20 * time.Second))
			_, err = io.Copy(io.Discard, pipe)
		}
		dead <- err
	}()
	s.run(t)
	s.expect(t, map[string]string{"": Success})
	if err := <-dead; err != nil {
		t.Errorf("the process outlived its job: %v", err)
	}
}

// A step that asks to run even when cancelled is not interrupted half-way.
func TestACancellationLetsARunningCleanUpEnd(t *testing.T) {
	s := newStory(t, `
jobs:
  a:
    runs-on: x
    steps:
      - if: always()
        run: echo running > "$PIPE"; read word < "$PIPE"; echo "ended with $word"
`)
	name := s.pipe(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go func() {
		_, _ = os.ReadFile(name)
		cancel()
		_ = os.WriteFile(name, []byte("care\n"), 0o600)
	}()
	s.conclusion = Run(ctx, s.spec, s.forge)
	s.expect(t, map[string]string{"": Cancelled, "a": Cancelled})
	s.expectLog(t, "a", "ended with care")
}
