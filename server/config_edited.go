package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/mainstay-ci/mainstay/server/config"
	"github.com/mainstay-ci/mainstay/server/github"
)

// configCheckName is the check on commits that change the settings file. It judges
// the file by itself, and has no part in any landing.
const configCheckName = "Mainstay config"

// checkEdited says on a commit what its settings file would change.
func checkEdited(ctx context.Context, app *github.App, e github.Edited) error {
	ctx = github.WithClass(ctx, github.Decoration)
	src, edits, err := app.ReadEdited(ctx, e)
	if err != nil || !edits {
		return err
	}
	base, err := app.ReadBase(ctx, e.Place)
	if err != nil {
		return err
	}
	return app.PostAdvice(ctx, e.Place, e.Commit, editedAdvice(src, base, e.Place.Branch))
}

// editedAdvice compares a settings file with the one in force.
func editedAdvice(src []byte, base github.Base, branch string) github.Advice {
	v := github.Advice{Name: configCheckName, Conclusion: "success"}
	found, wrong := []configFound{}, false
	if src != nil {
		found, wrong = findings(github.ConfigPath, src)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "`%s` as it is here, beside the one that is in force on `%s`. Whatever this check says, a pull request is judged by the file on its base.\n", github.ConfigPath, markdownCode(branch))
	for _, f := range found {
		v.Lines = append(v.Lines, github.AdvisedLine{Path: f.File, Line: f.Line, Title: f.Key, Text: f.Text, Wrong: f.Severity == "error"})
		fmt.Fprintf(&b, "\n- %s", quoted(f.String()))
	}
	if wrong {
		v.Conclusion, v.Title = "failure", "The file would not be taken: the last good one would stay in force"
		v.Summary = b.String() + "\n"
		return v
	}
	now, problem := parsed(base.ConfigPath, base.Config)
	next, _ := parsed(github.ConfigPath, src)
	if problem {
		b.WriteString("\n\nThe file on the base can't be read, so this is beside the defaults.\n")
	}
	changes := config.Compare(now, next)
	v.Title = "Nothing changes"
	if n := len(changes); n > 0 {
		v.Title = fmt.Sprintf("%d settings change", n)
		if n == 1 {
			v.Title = "1 setting changes"
		}
		b.WriteString("\n\n| queue | setting | is | becomes |\n|---|---|---|---|\n")
		for _, c := range changes {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", cell(c.Branch), cell(c.Key), cell(c.Old), cell(c.New))
		}
	}
	v.Summary = b.String()
	return v
}

// parsed reads a file for a comparison; one that is not there, or wrong, has the defaults.
func parsed(path string, src []byte) (c *config.Config, wrong bool) {
	if src == nil {
		return nil, false
	}
	c, _, err := config.Parse(path, src)
	return c, err != nil
}

func cell(text string) string { return strings.ReplaceAll(quoted(text), "|", "\\|") }

func markdownCode(name string) string { return strings.ReplaceAll(plain(name), "`", "'") }
