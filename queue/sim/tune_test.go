package sim

import (
	"os"
	"strconv"
)

func env(n string, d int) int {
	if v, err := strconv.Atoi(os.Getenv(n)); err == nil {
		return v
	}
	return d
}
func init() {
	WFLOOR = env("WF", 3)
	c := env("WC", 0)
	WCAP = func(l *lab) int {
		if c == 0 {
			return l.Parallel
		}
		return c
	}
}
