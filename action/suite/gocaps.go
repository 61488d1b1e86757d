package suite

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// maxOutput is how many bytes of output are kept of all failing tests together;
// of later ones little is, and beyond a quarter more nothing.
const maxOutput = 16 << 20

// goRoom keeps a stream of go test -json within bounds. Of more than maxCases
// tests, those that pass are counted and not listed: testjson never hears of
// them unless they turn out to be red.
type goRoom struct {
	bytes    int // of output kept
	tests    int
	packages map[string]bool
	late     map[testName]bool // running, and one too many to be listed if they pass
	lateRed  int
	unlisted int
	fault    error
}

// admit hands an event to testjson, if there is room for its test.
func (s *goStream) admit(e goEvent, line []byte) {
	r := &s.room
	name := testName{e.Package, e.Test}
	switch {
	case !r.known(e.Package):
		return
	case e.Test == "":
		if e.Action == "fail" {
			s.raise(e.Package)
		}
	case e.Action == "run":
		if r.tests++; r.tests > maxCases {
			r.remember(name)
			return
		}
	case !r.late[name]:
	case e.Action == "pass" || e.Action == "skip":
		delete(r.late, name)
		r.unlisted++
		return
	case e.Action == "fail" || e.Action == "output":
		if !s.promote(name) {
			return
		}
	default:
		return
	}
	s.pass(e, line)
}

// promote lists a late test after all, as it is red.
func (s *goStream) promote(name testName) bool {
	r := &s.room
	delete(r.late, name)
	if r.lateRed++; r.lateRed > maxRedCases {
		r.unlisted++
		return false
	}
	s.pass(goEvent{Action: "run", Package: name.pkg, Test: name.test}, nil)
	return true
}

// raise lists the late tests that a package's end leaves without one.
func (s *goStream) raise(pkg string) {
	for name := range s.room.late {
		if name.pkg == pkg {
			s.promote(name)
		}
	}
}

func (r *goRoom) known(pkg string) bool {
	if r.packages == nil {
		r.packages, r.late = map[string]bool{}, map[testName]bool{}
	}
	if !r.packages[pkg] && len(r.packages) >= shard.MaxItems {
		r.fault = fmt.Errorf("more than %d packages", shard.MaxItems)
		return false
	}
	r.packages[pkg] = true
	return true
}

func (r *goRoom) remember(name testName) {
	if len(r.late) >= maxPlaces {
		r.fault = errors.New("too many tests at once")
		return
	}
	r.late[name] = true
}

// keep adds output to a clip, less of it the less room there is.
func (r *goRoom) keep(c *clip, text string) {
	had := cap(c.head) + cap(c.tail)
	switch {
	case r.bytes >= maxOutput*5/4:
		c.lost = true
		return
	case r.bytes >= maxOutput:
		c.size = min(c.size, 256)
	}
	c.Write([]byte(text))
	r.bytes += cap(c.head) + cap(c.tail) - had
}

// shrink leaves of a failed test's output as much as a message holds.
func (r *goRoom) shrink(c *clip) {
	if c == nil {
		return
	}
	r.free(c)
	text := ending(c.text())
	c.head, c.tail, c.lost = []byte(text), nil, false
	r.bytes += cap(c.head)
}

func (r *goRoom) free(c *clip) {
	if c != nil {
		r.bytes -= cap(c.head) + cap(c.tail)
	}
}

// mark tells whether the line is one of go test's marks around a test, two in
// five of a large run: nothing would be kept of it, so it need not be decoded.
func mark(line []byte) bool {
	_, output, ok := bytes.Cut(line, []byte(`,"Output":"`))
	return ok && (bytes.HasPrefix(output, []byte("=== RUN ")) || bytes.HasPrefix(output, []byte("--- PASS: "))) &&
		bytes.HasPrefix(line, []byte("{")) && bytes.HasSuffix(line, []byte(`\n"}`)) && bytes.Contains(line, []byte(`,"Test":"`))
}

// pass hands an event to testjson: as it came, where that is known and short.
func (s *goStream) pass(e goEvent, line []byte) {
	if len(line) == 0 || len(line) > 4*shard.MaxName {
		// Its scanner breaks at lines of 64 KiB.
		e.Output = shard.Cut(e.Output, shard.MaxName)
		short, err := json.Marshal(e)
		if err != nil {
			return
		}
		line = short
	}
	s.to.Write(line) // its error is the scanner's, seen at close
	s.to.WriteByte('\n')
}

// forget drops the output of a test that nobody will ask for.
func (s *goStream) forget(name testName) {
	s.room.free(s.output[name])
	delete(s.output, name)
}
