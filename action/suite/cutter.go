package suite

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

const (
	maxDepth = 64       // elements in one another
	maxPiece = 64 << 10 // about how many bytes go-junit is given at once
)

// cutter reads a JUnit file and cuts it into small ones that go-junit reads.
// That library holds a whole document several times over, knows no re-runs and
// nothing of a document that ends too early; so it is given a few cases at a
// time, and what it would lose goes beside them.
type cutter struct {
	tokens *xml.Decoder
	take   func(found) error // gets each case
	doc    document
	open   []string       // the elements around
	suites []suiteElement // of those, the suites
	piece  bytes.Buffer
	beside []aside // of each case in piece
	inCase int     // len(open) inside of the case; 0 outside
	child  string  // the element of the case that is being handed on
	red    bool    // the case has a failure already
	known  bool    // something of JUnit was seen
}

// document is what is known of a file before its cases: enough to tell who wrote it.
type document struct {
	root    string            // the outermost suite's name
	attrs   map[string]string // of the root
	goWrote bool              // a property go.version
}

// suiteElement is what cases need of a suite that is around them.
type suiteElement struct {
	name, file, host string
	filled           bool // it has a case, or a suite that has
}

// aside is what go-junit does not carry.
type aside struct {
	suite suiteElement
	again []shard.Execution // re-runs, in order
}

var errCutOff = errors.New("cut off, or not well-formed")

// readJUnit calls take for each case of a file, in order. Of a file that is cut
// off, take has got all cases before the end, and the error is an errCutOff.
func readJUnit(in io.Reader, take func(found) error) error {
	c := &cutter{tokens: xml.NewDecoder(newSanitiser(in)), take: take}
	c.tokens.Strict = false
	err := c.walk()
	if c.inCase > 0 {
		c.abandon()
	}
	return errors.Join(err, c.flush())
}

func (c *cutter) walk() error {
	for {
		token, err := c.tokens.RawToken()
		switch {
		case err == io.EOF && len(c.open) > 0:
			return fmt.Errorf("%w: it ends inside of <%s>", errCutOff, c.open[len(c.open)-1])
		case err == io.EOF && !c.known:
			return errors.New("no JUnit in it")
		case err == io.EOF:
			return nil
		case err != nil:
			var syntax *xml.SyntaxError
			if errors.As(err, &syntax) {
				return fmt.Errorf("%w: line %d: %s", errCutOff, syntax.Line, syntax.Msg)
			}
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			err = c.begin(token)
		case xml.EndElement:
			err = c.end(token.Name.Local)
		case xml.CharData:
			if c.inside() {
				xml.EscapeText(&c.piece, []byte(ending(string(token)))) // to a buffer: it does not fail
			}
		}
		if err != nil {
			return err
		}
	}
}

// inside tells whether text belongs to a failure that is handed on.
func (c *cutter) inside() bool {
	return c.child != "" && len(c.open) == c.inCase+1
}

func (c *cutter) begin(e xml.StartElement) error {
	name := e.Name.Local
	c.open = append(c.open, name)
	if len(c.open) > maxDepth {
		return fmt.Errorf("more than %d elements in one another", maxDepth)
	}
	switch {
	case c.inCase > 0 && len(c.open) == c.inCase+1:
		return c.beginChild(name, e)
	case c.inCase > 0:
	case name == "testsuite" || name == "testsuites":
		c.beginSuite(name, e.Attr)
	case name == "testcase":
		c.known = true
		c.inCase, c.red = len(c.open), false
		c.beside = append(c.beside, aside{suite: c.around()})
		for i := range c.suites {
			c.suites[i].filled = true
		}
		c.write(e)
	case name == "property" && attr(e.Attr, "name") == "go.version":
		c.doc.goWrote = true
	}
	return nil
}

func (c *cutter) beginSuite(name string, attrs []xml.Attr) {
	if !c.known {
		c.known = true
		c.doc.attrs = map[string]string{}
		for _, a := range attrs {
			c.doc.attrs[a.Name.Local] = a.Value
		}
	}
	if name == "testsuites" {
		c.doc.root = attr(attrs, "name")
		c.suites = append(c.suites, suiteElement{})
		return
	}
	own := c.around()
	own.filled = false
	own.name = attr(attrs, "name")
	for _, key := range []string{"hostname", "file", "filepath"} {
		if value := attr(attrs, key); value != "" && key == "hostname" {
			own.host = value
		} else if value != "" {
			own.file = value
		}
	}
	if c.doc.root == "" {
		c.doc.root = own.name
	}
	c.suites = append(c.suites, own)
}

func (c *cutter) around() suiteElement {
	if len(c.suites) == 0 {
		return suiteElement{}
	}
	return c.suites[len(c.suites)-1]
}

// beginChild hands a failure on, collects a re-run and passes over the rest. A
// test that failed and was skipped then failed.
func (c *cutter) beginChild(name string, e xml.StartElement) error {
	switch name {
	case "failure", "error", "skipped":
		if c.red {
			return nil
		}
		c.red = name != "skipped"
		c.child = name
		c.write(e)
	case "flakyFailure", "flakyError", "rerunFailure", "rerunError":
		run, err := c.rerun(e)
		last := &c.beside[len(c.beside)-1]
		if last.again = append(last.again, run); len(last.again) > shard.MaxExecutions {
			last.again = last.again[1:]
		}
		c.open = c.open[:len(c.open)-1] // rerun read its end
		return err
	}
	return nil
}

// rerun reads an element that tells one more execution of the case.
func (c *cutter) rerun(e xml.StartElement) (shard.Execution, error) {
	run := shard.Execution{Status: shard.Failed, MS: milliseconds(attr(e.Attr, "time"))}
	if strings.HasSuffix(e.Name.Local, "Error") {
		run.Status = shard.Errored
	}
	var text, trace string
	for inner := []string{e.Name.Local}; len(inner) > 0; {
		token, err := c.tokens.RawToken()
		if err != nil {
			return run, fmt.Errorf("%w: it ends inside of <%s>", errCutOff, e.Name.Local)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if inner = append(inner, token.Name.Local); len(c.open)+len(inner) > maxDepth {
				return run, fmt.Errorf("more than %d elements in one another", maxDepth)
			}
		case xml.EndElement:
			inner = inner[:len(inner)-1]
		case xml.CharData:
			switch inner[len(inner)-1] {
			case e.Name.Local:
				text += ending(string(token))
			case "stackTrace":
				trace += ending(string(token))
			}
			text, trace = ending(text), ending(trace)
		}
	}
	if strings.TrimSpace(trace) != "" {
		text = trace
	}
	run.Message = saying(attr(e.Attr, "type"), attr(e.Attr, "message"), text)
	run.Kind = kindOf(run.Status, run.Message)
	return run, nil
}

func (c *cutter) end(name string) error {
	if len(c.open) == 0 {
		return fmt.Errorf("%w: </%s> ends nothing", errCutOff, name)
	}
	switch top := c.open[len(c.open)-1]; {
	case top != name:
		return fmt.Errorf("%w: <%s> is ended by </%s>", errCutOff, top, name)
	case c.inside():
		c.piece.WriteString("</" + name + ">")
		c.child = ""
	case len(c.open) == c.inCase:
		c.piece.WriteString("</testcase>")
		c.inCase = 0
	case c.inCase == 0 && (name == "testsuite" || name == "testsuites"):
		if own := c.around(); !own.filled && name == "testsuite" {
			if err := c.take(found{doc: &c.doc, suite: own}); err != nil {
				return err
			}
		}
		c.suites = c.suites[:len(c.suites)-1]
	}
	c.open = c.open[:len(c.open)-1]
	if c.inCase == 0 && c.piece.Len() > maxPiece {
		return c.flush()
	}
	return nil
}

// write begins an element in the piece, with attributes of a size that names
// and messages can have.
func (c *cutter) write(e xml.StartElement) {
	c.piece.WriteString("<" + e.Name.Local)
	for _, a := range e.Attr {
		switch a.Name.Local {
		case "name", "classname", "class", "time", "duration", "file", "filepath", "line", "message", "type", "status", "result":
			c.piece.WriteString(" " + a.Name.Local + `="`)
			xml.EscapeText(&c.piece, []byte(ending(a.Value)))
			c.piece.WriteString(`"`)
		}
	}
	c.piece.WriteString(">")
}

// abandon ends the case at which the file was cut off. It is told if it failed;
// otherwise nobody knows how it would have ended.
func (c *cutter) abandon() {
	if c.red {
		if c.child != "" {
			c.piece.WriteString("</" + c.child + ">")
		}
		c.piece.WriteString("</testcase>")
	} else {
		c.piece.Truncate(max(bytes.LastIndex(c.piece.Bytes(), []byte("<testcase")), 0))
		c.beside = c.beside[:len(c.beside)-1]
	}
	c.inCase = 0
}

func attr(attrs []xml.Attr, name string) string {
	for _, a := range attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
