package git

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// No child of ours may run for ever: the longest a local and a network command
// may take. A first clone of a large repository is the reason for the second.
const (
	localLimit   = 2 * time.Minute
	networkLimit = 15 * time.Minute
)

// command is one git call that runs to its end.
type command struct {
	args     []string
	stdin    []byte
	network  bool // may talk to the remote, so it gets the token
	partial  bool // is to know that blobs are left out on purpose; network implies it
	settings []setting
	environ  []string
	limit    time.Duration // 0: the limit of its kind
}

// partial says that the remote promises what is missing here. It is not in the
// repository's own configuration: only a command with the token may follow the
// promise, and to all others a blob that isn't here is just not here.
var partial = []setting{{"remote.origin.promisor", "true"}, {"remote.origin.partialclonefilter", "blob:none"}}

// errNoToken says that a command was not even started.
var errNoToken = errors.New("no token for git")

// setting is one line of git configuration, given by environment.
type setting struct{ key, value string }

// result is how a command ended. A non-zero code is not an error by itself.
type result struct {
	stdout []byte
	stderr string // scrubbed of the token
	code   int
}

// run starts git and waits for its end. The error is for a command that could
// not be run or was cut off, never for its exit code.
func (c *Clone) run(ctx context.Context, cmd command) (result, error) {
	limit := cmd.limit
	if limit == 0 {
		limit = localLimit
		if cmd.network {
			limit = networkLimit
		}
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	environ, secrets, err := c.prepare(ctx, cmd)
	if err != nil {
		return result{}, err
	}
	var stdout, stderr bytes.Buffer
	process := exec.CommandContext(ctx, "git", cmd.args...)
	process.Env = environ
	process.Dir = c.home
	process.Stdin = bytes.NewReader(cmd.stdin)
	process.Stdout = &stdout
	process.Stderr = &limited{buffer: &stderr, left: 256 << 10}
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	process.Cancel = func() error { return syscall.Kill(-process.Process.Pid, syscall.SIGKILL) }
	process.WaitDelay = 5 * time.Second
	c.note(process.Args)
	err = process.Run()
	res := result{stdout: stdout.Bytes(), stderr: scrub(stderr.String(), secrets), code: process.ProcessState.ExitCode()}
	if ctx.Err() != nil {
		return res, fmt.Errorf("git %s was cut off: %w", cmd.args[0], ctx.Err())
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return res, fmt.Errorf("run git %s: %w", cmd.args[0], err)
	}
	return res, nil
}

// succeed runs a command that has no business failing.
func (c *Clone) succeed(ctx context.Context, cmd command) (result, error) {
	res, err := c.run(ctx, cmd)
	if err == nil && res.code != 0 {
		err = fmt.Errorf("git %s ended with %d: %s", cmd.args[0], res.code, brief(res.stderr))
	}
	return res, err
}

// prepare gives the environment of a command and what must not show in its
// output.
func (c *Clone) prepare(ctx context.Context, cmd command) (environ, secrets []string, err error) {
	settings := cmd.settings
	if cmd.network || cmd.partial {
		settings = append(settings, partial...)
	}
	if cmd.network {
		settings = append(settings, setting{"remote.origin.url", c.url})
		if c.token != nil {
			token, err := c.token(ctx)
			if err != nil {
				return nil, nil, fmt.Errorf("%w: %w", errNoToken, err)
			}
			if token != "" {
				basic := base64.StdEncoding.EncodeToString([]byte("x-access-token:" + token))
				secrets = []string{token, basic}
				settings = append(settings, setting{"http." + c.url + ".extraHeader", "Authorization: Basic " + basic})
			}
		}
	}
	environ = c.environment(settings)
	if cmd.network {
		environ = append(environ, "GIT_ALLOW_PROTOCOL="+c.protocols)
	} else {
		environ = append(environ, "GIT_ALLOW_PROTOCOL=none", "GIT_NO_LAZY_FETCH=1")
	}
	return append(environ, cmd.environ...), secrets, nil
}

// passed are the only variables a child inherits: where git and its
// certificates are, and how the network is reached.
var passed = []string{
	"PATH", "TMPDIR", "GIT_EXEC_PATH", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "no_proxy", "all_proxy",
}

// environment is made from nothing, so that no configuration, hook, helper or
// trace of the host reaches a child.
func (c *Clone) environment(settings []setting) []string {
	environ := []string{
		"GIT_DIR=" + c.dir, "HOME=/dev/null", "XDG_CONFIG_HOME=/dev/null", "LC_ALL=C", "TZ=UTC",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_ATTR_NOSYSTEM=1",
		"GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=", "GIT_DEFAULT_HASH=sha1", "GIT_DEFAULT_REF_FORMAT=files",
	}
	for _, name := range passed {
		if value, ok := os.LookupEnv(name); ok {
			environ = append(environ, name+"="+value)
		}
	}
	// Go reads these names, git its own: one setting is to do for both.
	for name, ours := range map[string]string{"GIT_SSL_CAINFO": "SSL_CERT_FILE", "GIT_SSL_CAPATH": "SSL_CERT_DIR"} {
		if value := os.Getenv(ours); value != "" && os.Getenv(name) == "" {
			environ = append(environ, name+"="+value)
		}
	}
	all := append([]setting{
		{"core.hooksPath", "/dev/null"}, {"core.attributesFile", "/dev/null"}, {"core.fsmonitor", "false"},
		{"core.warnAmbiguousRefs", "false"}, // else git looks for a branch named like each id
		{"credential.helper", ""}, {"protocol.version", "2"}, {"gc.auto", "0"}, {"maintenance.auto", "false"},
		{"http.followRedirects", "false"}, {"http.lowSpeedLimit", "100"}, {"http.lowSpeedTime", "120"},
	}, settings...)
	environ = append(environ, "GIT_CONFIG_COUNT="+strconv.Itoa(len(all)))
	for i, s := range all {
		n := strconv.Itoa(i)
		environ = append(environ, "GIT_CONFIG_KEY_"+n+"="+s.key, "GIT_CONFIG_VALUE_"+n+"="+s.value)
	}
	return environ
}

// note counts a process and shows its arguments, which never hold a secret.
func (c *Clone) note(argv []string) {
	c.processes.Add(1)
	if c.witness != nil {
		c.witness(argv)
	}
	c.log.Debug("git process started", "argv", argv)
}

func scrub(text string, secrets []string) string {
	for _, secret := range secrets {
		text = strings.ReplaceAll(text, secret, "***")
	}
	return text
}

// brief keeps the end of a child's complaint, which is where git says why.
func brief(text string) string {
	text = strings.TrimSpace(text)
	if len(text) > 600 {
		text = "…" + text[len(text)-600:]
	}
	return text
}

// limited drops what goes beyond its room, so that a child cannot fill memory.
type limited struct {
	buffer *bytes.Buffer
	left   int
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.left -= n
	l.buffer.Write(p[:n])
	return len(p), nil
}
