package runner

import (
	"bufio"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Bounds of what one job may leave behind; GitHub has such bounds too.
const (
	maxLog         = 8 << 20
	maxLine        = 1 << 20
	maxAnnotations = 1000
	maxSummary     = 1 << 20 // of one step
)

// journal is what a job leaves behind: its log, its summary, its annotations.
// It takes the log commands out of what steps print and hides secrets.
type journal struct {
	log, summary strings.Builder
	annotations  []string
	masks        []string
	replacer     *strings.Replacer
	resume       string // ::stop-commands:: was given; this token ends it
	cut          bool
}

// mask hides a value from now on, each of its lines and its base64 form too.
func (j *journal) mask(value string) {
	for _, v := range append(strings.Split(value, "\n"), value) {
		v = strings.TrimRight(v, "\r")
		if strings.TrimSpace(v) == "" || slices.Contains(j.masks, v) {
			continue
		}
		j.masks = append(j.masks, v, base64.StdEncoding.EncodeToString([]byte(v)))
	}
	// The longest first: a secret that begins with another one is hidden whole.
	slices.SortStableFunc(j.masks, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	pairs := make([]string, 0, 2*len(j.masks))
	for _, m := range j.masks {
		pairs = append(pairs, m, "***")
	}
	j.replacer = strings.NewReplacer(pairs...)
}

func (j *journal) hide(s string) string {
	if j.replacer == nil {
		return s
	}
	return j.replacer.Replace(s)
}

// note writes lines of the runner's own.
func (j *journal) note(form string, args ...any) {
	for line := range strings.SplitSeq(fmt.Sprintf(form, args...), "\n") {
		j.write(line)
	}
}

func (j *journal) write(line string) {
	if j.log.Len() > maxLog {
		if !j.cut {
			j.cut = true
			j.log.WriteString("##[warning]The log is cut here: it is too long\n")
		}
		return
	}
	j.log.WriteString(j.hide(line))
	j.log.WriteByte('\n')
}

// problem writes an error or a warning and keeps it as an annotation.
func (j *journal) problem(level, properties, message string) {
	j.note("##[%s]%s", level, message)
	if level == "notice" || len(j.annotations) >= maxAnnotations {
		return
	}
	if properties != "" {
		properties = " " + properties
	}
	j.annotations = append(j.annotations, j.hide("::"+level+properties+"::"+message))
}

func (j *journal) fail(err error) { j.problem("error", "", err.Error()) }

// read takes what a step printed, line by line.
func (j *journal) read(r io.Reader) error {
	b := bufio.NewReaderSize(r, 32<<10)
	var line []byte
	for {
		piece, err := b.ReadSlice('\n')
		if room := maxLine - len(line); len(piece) > room {
			piece = piece[:room] // the rest of an endless line is dropped
		}
		line = append(line, piece...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if len(line) > 0 {
			j.take(strings.TrimRight(string(line), "\r\n"))
		}
		line = line[:0]
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("read what the step printed: %w", err)
		}
	}
}

// take acts on a log command, or writes the line.
func (j *journal) take(line string) {
	command, properties, message, ok := parseCommand(line)
	if !ok {
		j.write(line)
		return
	}
	if j.resume != "" {
		if command == j.resume {
			j.resume = ""
		}
		j.write(line)
		return
	}
	switch command {
	case "add-mask":
		j.mask(message)
		j.write("::add-mask::***")
	case "error", "warning", "notice":
		j.problem(command, properties, message)
	case "group":
		j.note("##[group]%s", message)
	case "endgroup":
		j.write("##[endgroup]")
	case "debug", "echo", "add-matcher", "remove-matcher":
		// Debug logging is off; problem matchers only colour a log.
	case "stop-commands":
		j.resume = message
	case "set-output", "save-state", "set-env", "add-path":
		j.problem("warning", "", "the command ::"+command+":: is ignored: write to the file of the environment instead")
	default:
		j.write(line)
	}
}

// parseCommand splits ::name key=value,key=value::message and undoes the
// escapes of the message.
func parseCommand(line string) (name, properties, message string, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimLeft(line, " \t"), "::")
	if !ok {
		return "", "", "", false
	}
	head, message, ok := strings.Cut(rest, "::")
	if !ok || head == "" {
		return "", "", "", false
	}
	name, properties, _ = strings.Cut(head, " ")
	message = strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%").Replace(message)
	return name, strings.TrimSpace(properties), message, true
}

// summarize adds what a step wrote to its summary file.
func (j *journal) summarize(s string) {
	if s == "" {
		return
	}
	if len(s) > maxSummary {
		j.problem("error", "", fmt.Sprintf("the step's summary is dropped: %d KiB, more than %d", len(s)>>10, maxSummary>>10))
		return
	}
	j.summary.WriteString(j.hide(s))
	if !strings.HasSuffix(s, "\n") {
		j.summary.WriteByte('\n')
	}
}
