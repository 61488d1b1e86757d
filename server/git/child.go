package git

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// answerLimit is the longest a resident child may take for one answer.
const answerLimit = 60 * time.Second

// child is a git process that stays and answers. After any trouble it is
// ended, and the next question starts another.
type child struct {
	name    string
	process *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	stderr  tail
	limit   time.Duration
	once    sync.Once
}

// start runs a resident git. Its environment holds no token and it cannot
// reach the remote: an object that is missing is an error here, and fetched in
// bulk by whoever asked.
func (c *Clone) start(argv []string, cmd command) (*child, error) {
	environ, _, err := c.prepare(context.Background(), cmd)
	if err != nil {
		return nil, err
	}
	k := &child{limit: answerLimit, process: exec.Command(argv[0], argv[1:]...)}
	k.process.Env, k.process.Dir, k.process.Stderr = environ, c.home, &k.stderr
	k.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	k.process.WaitDelay = time.Second
	for i, arg := range argv {
		if arg == "git" {
			k.name = argv[i+1]
		}
	}
	in, err := k.process.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := k.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	k.in, k.out = in, bufio.NewReaderSize(out, 64<<10)
	c.note(k.process.Args)
	if err := k.process.Start(); err != nil {
		return nil, fmt.Errorf("start git %s: %w", k.name, err)
	}
	return k, nil
}

// ask sends a request and reads its answer within the limit. After an error
// the child is in an unknown state and must be ended.
func (k *child) ask(ctx context.Context, request []byte, read func(*bufio.Reader) error) error {
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, k.limit)
	defer cancel()
	stop := context.AfterFunc(ctx, k.kill)
	// A long request is written beside the reading: both pipes could be full.
	written := make(chan error, 1)
	if len(request) <= 4096 {
		_, err := k.in.Write(request)
		written <- err
	} else {
		go func() {
			_, err := k.in.Write(request)
			written <- err
		}()
	}
	err := read(k.out)
	if err != nil {
		k.kill()
	}
	if werr := <-written; err == nil {
		err = werr
	}
	cut := !stop()
	if !cut && err == nil {
		return nil
	}
	k.end()
	if outer.Err() != nil {
		return fmt.Errorf("git %s was cut off: %w", k.name, outer.Err())
	}
	if cut {
		return &trouble{silent: true, err: fmt.Errorf("git %s did not answer within %s", k.name, k.limit)}
	}
	return &trouble{err: fmt.Errorf("git %s: %w: %s", k.name, err, brief(k.stderr.String()))}
}

// trouble is a resident child that died, hung or answered nonsense: worth one
// more try with a new one.
type trouble struct {
	silent bool
	err    error
}

func (t *trouble) Error() string { return t.err.Error() }
func (t *trouble) Unwrap() error { return t.err }

func (k *child) kill() { k.process.Process.Kill() }

// end stops the child and waits for it; a second call does nothing.
func (k *child) end() {
	k.once.Do(func() {
		k.in.Close()
		k.kill()
		k.process.Wait()
	})
}

// tail keeps the last few kilobytes a child complained.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - 4096; over > 0 {
		t.text = bytes.Clone(t.text[over:])
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
