package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/mainstay-ci/mainstay/server/config"
)

// configCommand is `mainstay config`.
type configCommand struct {
	Check   configCheckCommand   `cmd:"" help:"Read a settings file and print what is wrong with it, like a compiler. Exit code 1 on an error; warnings are 0."`
	Explain configExplainCommand `cmd:"" help:"Say what must be green and what each pull request must have, why, and who may skip it."`
	Schema  configSchemaCommand  `cmd:"" help:"Print the JSON Schema of the settings file, for editors."`
}

type configCheckCommand struct {
	File string `arg:"" default:".github/mainstay.yml" help:"The file; - reads from standard input."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// configFound is one finding as the command prints it.
type configFound struct {
	Severity string `json:"severity"` // error or warning
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Key      string `json:"key,omitempty"`
	Text     string `json:"text"`
}

// wrongConfig is the exit code for a file that would not be taken.
const wrongConfig = exitCode(1)

// Run checks one file.
func (c configCheckCommand) Run() error {
	src, name, err := c.read(os.Stdin)
	if err != nil {
		return err
	}
	return c.report(os.Stdout, name, src)
}

func (c configCheckCommand) read(stdin io.Reader) (src []byte, name string, err error) {
	if c.File == "-" {
		src, err = io.ReadAll(io.LimitReader(stdin, config.MaxSize+1))
		return src, "<stdin>", err
	}
	file, err := os.Open(c.File)
	if err != nil {
		return nil, "", fmt.Errorf("read the settings: %w", err)
	}
	defer file.Close()
	src, err = io.ReadAll(io.LimitReader(file, config.MaxSize+1))
	return src, c.File, err
}

// report prints the findings; an error of the file is an exit code.
func (c configCheckCommand) report(w io.Writer, name string, src []byte) error {
	found, wrong := findings(name, src)
	if c.JSON {
		out := json.NewEncoder(w)
		out.SetIndent("", "  ")
		if err := out.Encode(found); err != nil {
			return err
		}
	} else {
		for _, f := range found {
			if _, err := io.WriteString(w, plain(f.String())+"\n"); err != nil {
				return err
			}
		}
	}
	if wrong {
		return wrongConfig
	}
	return nil
}

// findings are the errors of a file, then its warnings; never nil.
func findings(name string, src []byte) (found []configFound, wrong bool) {
	found = []configFound{}
	add := func(severity string, w config.Warning) {
		found = append(found, configFound{severity, w.File, w.Line, w.Column, w.Key, w.Text})
	}
	_, warnings, err := config.Parse(name, src)
	var errs config.Errors
	errors.As(err, &errs)
	for _, one := range errs {
		add("error", one)
	}
	for _, one := range warnings {
		add("warning", one)
	}
	return found, err != nil
}

// String reads like a compiler's line.
func (f configFound) String() string {
	key := f.Key
	if key != "" {
		key += ": "
	}
	return fmt.Sprintf("%s:%d:%d: %s: %s%s", f.File, f.Line, f.Column, f.Severity, key, f.Text)
}

type configSchemaCommand struct{}

// Run prints the schema.
func (configSchemaCommand) Run() error {
	_, err := os.Stdout.Write(config.Schema())
	return err
}
