package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/server/store"
)

// auditCommand is `mainstay audit`. It reads the database, also while a server has it.
type auditCommand struct {
	Repository string `arg:"" help:"owner/name."`
	Data       string `default:"mainstay-data" env:"MAINSTAY_DATA" help:"Folder with the database."`
	Branch     string `help:"Only the queue of this base branch."`
	Refused    bool   `help:"Only refusals."`
	Limit      int    `default:"100" help:"How many lines of each queue."`
	JSON       bool   `help:"One JSON object a line."`
}

// auditLine is a ruling and where it was made.
type auditLine struct {
	Repository string `json:"repository"`
	Branch     string `json:"branch"`
	queue.Ruling
}

// Run prints who asked for what and how that was decided, newest first.
func (c auditCommand) Run(ctx context.Context) error { return c.print(ctx, os.Stdout) }

func (c auditCommand) print(ctx context.Context, out io.Writer) error {
	db, err := store.OpenToRead(ctx, filepath.Join(c.Data, "mainstay.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	queues, err := db.Queues(ctx)
	if err != nil {
		return err
	}
	found := false
	for _, p := range queues {
		if !strings.EqualFold(p.Owner+"/"+p.Name, c.Repository) || c.Branch != "" && c.Branch != p.Branch {
			continue
		}
		found = true
		rulings, err := db.Rulings(ctx, p.ID, c.Refused, c.Limit)
		if err != nil {
			return err
		}
		for _, r := range rulings {
			if err := c.printLine(out, auditLine{p.Owner + "/" + p.Name, p.Branch, r}); err != nil {
				return err
			}
		}
	}
	if !found {
		return fmt.Errorf("audit: there is no queue of %q in %s", c.Repository, c.Data)
	}
	return nil
}

func (c auditCommand) printLine(out io.Writer, l auditLine) error {
	if c.JSON {
		return json.NewEncoder(out).Encode(l)
	}
	verdict := "granted"
	if l.Refused() {
		verdict = "refused (" + string(l.Rule) + ")"
	}
	head := l.Head[:min(7, len(l.Head))]
	if l.Fork {
		head += " of a fork"
	}
	_, err := fmt.Fprintf(out, "%s %s #%d %s: %s (%d) by %s %d: %s %s\n", l.At.UTC().Format(time.RFC3339), forTerminal(l.Branch), l.PR, forTerminal(head),
		forTerminal(l.By.Login), l.By.ID, l.Source, l.SourceID, forTerminal(l.What), verdict+detailed(l.Detail))
	return err
}

func detailed(detail string) string {
	if detail == "" {
		return ""
	}
	return ": " + forTerminal(detail)
}

// forTerminal is text of anybody's without what a terminal would obey or hide.
func forTerminal(text string) string {
	quoted := strconv.QuoteToGraphic(text)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
