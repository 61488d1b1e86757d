package main

import (
	"io"
	"sync"
)

// console is the job's log, which tests and heartbeats write to side by side.
type console struct {
	mu      sync.Mutex
	out     io.Writer
	midline bool
}

// Write hands on what somebody prints.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.write(p)
}

func (c *console) write(p []byte) (int, error) {
	if len(p) > 0 {
		c.midline = p[len(p)-1] != '\n'
	}
	return c.out.Write(p)
}

// commands writes the runner's commands to a console. In the middle of a line of
// somebody else's, one would be text: a token that is to be masked would be shown.
type commands struct{ *console }

// Write begins a new line first where it must.
func (c commands) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.midline {
		if _, err := c.write([]byte("\n")); err != nil {
			return 0, err
		}
	}
	return c.write(p)
}
