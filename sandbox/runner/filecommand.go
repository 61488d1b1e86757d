package runner

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// maxFile bounds a file of commands that a step may write.
const maxFile = 50 << 20

// commandFiles are the files that one step writes to: GITHUB_OUTPUT and so on.
type commandFiles struct {
	output, env, path, summary, state string
}

// newCommandFiles makes them, empty, for the step of that number.
func newCommandFiles(dir string, number int) (commandFiles, error) {
	at := func(kind string) string { return filepath.Join(dir, strconv.Itoa(number)+"_"+kind) }
	f := commandFiles{at("output"), at("env"), at("path"), at("summary"), at("state")}
	for _, name := range []string{f.output, f.env, f.path, f.summary, f.state} {
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			return f, fmt.Errorf("make a step's files: %w", err)
		}
	}
	return f, nil
}

// readCommands reads a file of name=value and name<<DELIMITER entries.
func readCommands(name string) ([]envPair, error) {
	s, err := readBounded(name)
	if err != nil {
		return nil, err
	}
	return parseCommands(s)
}

// readBounded is the text of a file; a file that the step removed is empty.
func readBounded(name string) (string, error) {
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read a step's file: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return "", fmt.Errorf("read a step's file: %w", err)
	}
	if len(b) > maxFile {
		return "", fmt.Errorf("read a step's file: longer than %d MiB", maxFile>>20)
	}
	return string(b), nil
}

// parseCommands fails as GitHub does: on a line that is neither form, an empty
// name, a delimiter that never comes. What stood before the fault is returned.
func parseCommands(s string) ([]envPair, error) {
	var out []envPair
	for s != "" {
		var line string
		line, s, _ = strings.Cut(s, "\n")
		if line == "" {
			continue
		}
		equals, heredoc := strings.Index(line, "="), strings.Index(line, "<<")
		switch {
		case equals >= 0 && (heredoc < 0 || equals < heredoc):
			if equals == 0 {
				return out, fmt.Errorf("invalid format %q: the name is empty", line)
			}
			out = append(out, envPair{line[:equals], line[equals+1:]})
		case heredoc >= 0:
			name, delimiter := line[:heredoc], line[heredoc+2:]
			if name == "" || delimiter == "" {
				return out, fmt.Errorf("invalid format %q: the name or the delimiter is empty", line)
			}
			value, rest, ok := cutHeredoc(s, delimiter)
			if !ok {
				return out, fmt.Errorf("invalid value of %q: the delimiter %q does not come", name, delimiter)
			}
			out = append(out, envPair{name, value})
			s = rest
		default:
			return out, fmt.Errorf("invalid format %q: neither name=value nor name<<delimiter", line)
		}
	}
	return out, nil
}

// cutHeredoc splits the text at the line that is the delimiter.
func cutHeredoc(s, delimiter string) (value, rest string, ok bool) {
	for at := 0; at < len(s); {
		line, _, more := strings.Cut(s[at:], "\n")
		if line == delimiter {
			next := min(at+len(line)+1, len(s))
			return strings.TrimSuffix(s[:at], "\n"), s[next:], true
		}
		if !more {
			break
		}
		at += len(line) + 1
	}
	return "", "", false
}
