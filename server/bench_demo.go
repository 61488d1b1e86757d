package main

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"time"
)

// benchDemo runs the demo as a newcomer does and takes the time from its start
// to the first line that says "landed", and to its end.
func (c benchCommand) benchDemo(ctx context.Context) ([]figure, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	cmd := exec.CommandContext(ctx, exe, "demo")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	var first time.Duration
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if first == 0 && strings.Contains(lines.Text(), " landed ") {
			first = time.Since(began)
		}
	}
	if err := cmd.Wait(); err != nil {
		return nil, err
	}
	if first == 0 {
		return nil, errors.New("nothing landed")
	}
	return []figure{{"demo.first", first.Seconds(), "s", 10}, {"demo.whole", time.Since(began).Seconds(), "s", 0}}, nil
}
