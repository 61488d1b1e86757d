package git

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// emptyTree is the id of the tree with nothing in it.
const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

// commit is one commit as it is stored. Author, encoding and message are kept
// byte for byte.
type commit struct {
	id, tree         string
	parents          []string
	author, encoding string
	message          []byte
}

func parseCommit(id string, data []byte) (commit, error) {
	c := commit{id: id}
	rest := data
	for {
		line, after, found := bytes.Cut(rest, []byte("\n"))
		rest = after
		if len(line) == 0 || !found {
			break
		}
		key, value, _ := bytes.Cut(line, []byte(" "))
		switch string(key) {
		case "tree":
			c.tree = string(value)
		case "parent":
			c.parents = append(c.parents, string(value))
		case "author":
			c.author = string(value)
		case "encoding":
			c.encoding = string(value)
		}
	}
	c.message = rest
	if !isID(c.tree) || c.author == "" {
		return commit{}, fmt.Errorf("commit %s cannot be read", id)
	}
	return c, nil
}

// Committer signs the rebased commits. Name, Email and When are all part of
// their ids: the same committer gives the same commits.
type Committer struct {
	Name, Email string
	When        time.Time // to the second; the zone is ignored
}

func (c Committer) line() (string, error) {
	for _, text := range []string{c.Name, c.Email} {
		if text == "" || text != strings.TrimSpace(text) || strings.ContainsAny(text, "<>\n\r\x00") {
			return "", fmt.Errorf("committer %q <%q> cannot stand in a commit", c.Name, c.Email)
		}
	}
	if c.When.Unix() < 0 {
		return "", errors.New("committer's time lies before 1970")
	}
	return c.Name + " <" + c.Email + "> " + strconv.FormatInt(c.When.Unix(), 10) + " +0000", nil
}

// rewritten is the commit's text on a new parent, with a new tree and
// committer. Signatures are left out, since they would be false.
func (c commit) rewritten(tree, parent, committer string, trailers []string) []byte {
	if parent == "" {
		return c.text(tree, nil, committer, trailers)
	}
	return c.text(tree, []string{parent}, committer, trailers)
}

// withTrailers adds lines to the last paragraph when that already is one of
// trailers, else as a paragraph of their own.
func withTrailers(message []byte, trailers []string) []byte {
	if len(trailers) == 0 {
		return message
	}
	text := bytes.TrimRight(message, "\n")
	paragraphs := bytes.Split(text, []byte("\n\n"))
	joint := "\n\n"
	if len(paragraphs) > 1 && allTrailers(paragraphs[len(paragraphs)-1]) {
		joint = "\n"
	}
	return []byte(string(text) + joint + strings.Join(trailers, "\n") + "\n")
}

func allTrailers(paragraph []byte) bool {
	for i, line := range strings.Split(string(paragraph), "\n") {
		if !isTrailer(line) && (i == 0 || !strings.HasPrefix(line, " ")) {
			return false
		}
	}
	return true
}

func isTrailer(line string) bool {
	key, value, found := strings.Cut(line, ": ")
	if !found || key == "" || value == "" {
		return false
	}
	for _, r := range key {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' {
			return false
		}
	}
	for _, r := range value {
		if r < ' ' || r == 0x7f {
			return false
		}
	}
	return true
}

// objectID is the name git gives to these bytes.
func objectID(kind string, data []byte) string {
	sum := sha1.New()
	fmt.Fprintf(sum, "%s %d\x00", kind, len(data))
	sum.Write(data)
	return hex.EncodeToString(sum.Sum(nil))
}
