package sim

import (
	"fmt"
	"os"
	"runtime/pprof"
	"testing"
	"time"
)

func TestProf(t *testing.T) {
	go func() { time.Sleep(25 * time.Second); pprof.StopCPUProfile(); os.Exit(0) }()
	f, _ := os.Create("/tmp/cpu.prof")
	pprof.StartCPUProfile(f)
	x, _ := Simulate(Load{Rate: 20, Hours: 10, Parallel: 16, Fail: .05, Flake: .01, Conflict: .0003, Seed: 1}, "adaptive")
	fmt.Println(x.MeanWait)
	pprof.StopCPUProfile()
}
