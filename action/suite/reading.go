package suite

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
)

// What is read at most. go test -json is not held and may be long; of the others
// people would not read more either.
const (
	maxFile   = 10 << 20  // bytes of a file
	maxFiles  = 128 << 20 // bytes of all files
	maxGoFile = 1 << 30   // bytes of a file of go test -json
	memory    = 40 << 20  // above this much, memory is taken back at once
)

// past is a run of the items that ended.
type past struct {
	items  []string
	code   int
	output string // what it printed, where we heard it
	handed bool   // we gave it the items, so that it cannot have left one out unasked
}

// ReadResults reads the results of one run of the items by somebody else; all
// files together are one shard's. The error says which file is missing, empty,
// not understood, incomplete or cut off, and then the run proves nothing: no
// item of the results counts as passed, while the tests hold what could be made
// out, so that people see it.
func (s Suite) ReadResults(files []string, format Format, items []string, code int) (Results, error) {
	return s.read(files, format, past{items: items, code: code})
}

func (s Suite) read(files []string, format Format, run past) (Results, error) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(memory))
	files, err := byAge(files)
	if err != nil {
		return Results{}, err
	}
	var stream, others []string
	formats := make([]Format, len(files))
	var faults []error
	for i, file := range files {
		if formats[i] = format; format == FormatAuto || format == "" {
			if formats[i], err = s.sniff(file); err != nil {
				faults = append(faults, err)
				continue
			}
		}
		if formats[i] == FormatGoJSON {
			stream = append(stream, file)
		} else {
			others = append(others, file)
		}
	}
	switch {
	case len(stream) > 0 && len(others) > 0:
		return Results{}, fmt.Errorf("read results: %s is go test -json and %s is not: name one of them", filepath.Base(stream[0]), filepath.Base(others[0]))
	case len(stream) > 0 && len(faults) == 0:
		return s.Read(stream, run.items, run.code)
	}
	g := newGather(s, run.items)
	budget := int64(maxFiles)
	for i, file := range files {
		if formats[i] == FormatJUnit || formats[i] == FormatTAP {
			if err := g.readFile(file, formats[i], &budget); err != nil {
				faults = append(faults, fmt.Errorf("read results %s: %w", filepath.Base(file), err))
			}
		}
	}
	err = errors.Join(faults[:min(len(faults), 10)]...)
	return g.results(run, err), err
}

// byAge puts files in the order in which they were written: what was run again
// was written later, whatever its name. Files of one time keep their order.
func byAge(files []string) ([]string, error) {
	type aged struct {
		name string
		at   int64
	}
	list := make([]aged, len(files))
	for i, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return nil, fmt.Errorf("read results: %w", err)
		}
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("read results %s: it is no file", filepath.Base(file))
		}
		list[i] = aged{file, info.ModTime().UnixNano()}
	}
	slices.SortStableFunc(list, func(a, b aged) int { return cmp.Compare(a.at, b.at) })
	sorted := make([]string, len(list))
	for i, file := range list {
		sorted[i] = file.name
	}
	return sorted, nil
}

var (
	looksTAP = expression(`(?m)^(TAP version \d+|1\.\.\d+\s*(#.*)?$|(not )?ok( \d| - |$))`)
	looksGo  = expression(`(?m)^\{.*"Action":"`)
)

// sniff looks into a file for its format.
func (s Suite) sniff(name string) (Format, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("read results: %w", err)
	}
	defer file.Close()
	head := make([]byte, 8<<10)
	n, err := io.ReadFull(file, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return "", fmt.Errorf("read results: %w", err)
	}
	head = head[:n]
	text := bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")))
	switch {
	case bytes.HasPrefix(text, []byte("<")), bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return FormatJUnit, nil
	case looksGo().Match(head):
		return FormatGoJSON, nil
	case looksTAP().Match(bytes.ReplaceAll(head, []byte("\r"), nil)):
		return FormatTAP, nil
	case s.Runner == Go:
		return FormatGoJSON, nil // output of other kinds may come first
	case len(text) == 0:
		return "", fmt.Errorf("read results %s: it is empty", filepath.Base(name))
	}
	return "", fmt.Errorf("read results %s: neither JUnit XML nor go test -json nor TAP", filepath.Base(name))
}

func (g *gather) readFile(name string, format Format, budget *int64) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	in := &limited{in: file, left: min(maxFile, *budget)}
	read := readJUnit
	if format == FormatTAP {
		read = readTAP
	}
	err = read(in, g.add)
	if *budget -= in.read; errors.Is(err, errTooLarge) {
		return fmt.Errorf("%w: at most %d MiB of a file are read, and %d MiB of all", errTooLarge, maxFile>>20, maxFiles>>20)
	}
	return err
}

var errTooLarge = errors.New("too large")

// limited is a reader that fails, and does not end, where there is too much.
type limited struct {
	in         io.Reader
	left, read int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left == 0 {
		var one [1]byte
		if n, err := l.in.Read(one[:]); n == 0 {
			return 0, err
		}
		return 0, errTooLarge
	}
	n, err := l.in.Read(p[:min(int64(len(p)), l.left)])
	l.left, l.read = l.left-int64(n), l.read+int64(n)
	return n, err
}
