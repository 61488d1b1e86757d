package suite

import (
	"bufio"
	"bytes"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/unicode"
)

// sanitiser makes of what test runners call XML what an XML reader takes: UTF-8
// without byte order mark and declaration, of legal characters, with no other
// references than XML's own. It looks at bytes, not at elements, and holds a
// few kilobytes at a time.
type sanitiser struct {
	in    *bufio.Reader
	out   []byte // made
	read  int    // how much of it was read
	cdata bool   // between <![CDATA[ and ]]>
	err   error
}

var (
	declaration  = expression(`(?s)^\s*<\?xml\s(.{0,500}?)\?>`)
	encodingName = expression(`encoding\s*=\s*["']([A-Za-z0-9._:\-]+)["']`)
	colour       = expression(`^\x1b\[[0-9;:?]*[ -/]*[@-~]`)
)

// newSanitiser reads from in, which is in the encoding that its first bytes name.
func newSanitiser(in io.Reader) *sanitiser {
	raw := bufio.NewReaderSize(in, 16<<10)
	head, _ := raw.Peek(1024) // a fault is met again when reading
	var plain io.Reader = raw
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		raw.Discard(3)
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")),
		bytes.HasPrefix(head, []byte("<\x00")), bytes.HasPrefix(head, []byte("\x00<")):
		order := unicode.LittleEndian
		if head[0] == 0 {
			order = unicode.BigEndian
		}
		plain = unicode.UTF16(order, unicode.UseBOM).NewDecoder().Reader(raw)
	default:
		plain = transcoded(raw, head)
	}
	return &sanitiser{in: bufio.NewReaderSize(plain, 16<<10)}
}

// transcoded is in as UTF-8 where its declaration names another encoding. One
// that says UTF-16 in plain letters is wrong about itself.
func transcoded(in *bufio.Reader, head []byte) io.Reader {
	said := encodingName().FindSubmatch(declaration().Find(head))
	if said == nil || strings.HasPrefix(strings.ToLower(string(said[1])), "utf") {
		return in
	}
	if out, err := charset.NewReaderLabel(string(said[1]), in); err == nil {
		return out
	}
	return in // unknown: what is no UTF-8 in it becomes a mark
}

// Read implements io.Reader.
func (s *sanitiser) Read(p []byte) (int, error) {
	if s.read == len(s.out) {
		s.out, s.read = s.out[:0], 0
		for len(s.out) < 4<<10 && s.err == nil {
			s.fill()
		}
	}
	n := copy(p, s.out[s.read:])
	if s.read += n; n == 0 && len(p) > 0 {
		return 0, s.err
	}
	return n, nil
}

// fill makes the next bytes of out.
func (s *sanitiser) fill() {
	if _, err := s.in.Peek(1); err != nil {
		s.err = err
		return
	}
	ahead, _ := s.in.Peek(s.in.Buffered())
	if n := harmlessBytes(ahead); n > 0 {
		s.out = append(s.out, ahead[:n]...)
		s.in.Discard(n)
		return
	}
	ahead, _ = s.in.Peek(64) // as much as any of the below looks at
	made, used := s.mend(ahead)
	s.out = append(s.out, made...)
	s.in.Discard(used)
}

// harmlessBytes is how many bytes at the beginning need no second look.
func harmlessBytes(b []byte) int {
	for i := 0; i < len(b); {
		c := b[i]
		if c < utf8.RuneSelf {
			if c == '&' || c == '<' || c == ']' || c < 0x20 && c != '\n' && c != '\t' {
				return i
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if size == 1 || !legal(r) {
			return i
		}
		i += size
	}
	return len(b)
}

const illegal = "\uFFFD"

// mend returns what stands for the first of the bytes, and how many it stands for.
func (s *sanitiser) mend(b []byte) (string, int) {
	switch c := b[0]; {
	case c == '<':
		return s.open(b)
	case c == ']':
		if !bytes.HasPrefix(b, []byte("]]>")) {
			return "]", 1
		}
		if s.cdata {
			s.cdata = false
			return "]]>", 3
		}
		return "]]&gt;", 3
	case c == '&' && !s.cdata:
		return reference(b)
	case c == '\r' || c == '&':
		return string(c), 1
	case c == 0x1b:
		if code := colour().Find(b); code != nil {
			return "", len(code)
		}
		return illegal, 1
	}
	r, size := utf8.DecodeRune(b)
	if r == utf8.RuneError && size <= 1 || !legal(r) {
		return illegal, max(size, 1)
	}
	return string(b[:size]), size
}

// open looks at what begins with "<". A declaration where another document was
// appended is made an instruction that means nothing.
func (s *sanitiser) open(b []byte) (string, int) {
	const cdata, xml = "<![CDATA[", "<?xml"
	if !s.cdata && bytes.HasPrefix(b, []byte(cdata)) {
		s.cdata = true
		return cdata, len(cdata)
	}
	if !s.cdata && bytes.HasPrefix(b, []byte(xml)) {
		return "<?was-xml", len(xml)
	}
	return "<", 1
}

// reference mends what begins with "&": one to a character that may not be
// becomes a mark, one that nobody declared becomes text.
func reference(b []byte) (string, int) {
	end := bytes.IndexByte(b[:min(len(b), 12)], ';')
	if end < 0 {
		return "&amp;", 1
	}
	name := string(b[1:end])
	switch name {
	case "lt", "gt", "amp", "quot", "apos":
		return string(b[:end+1]), end + 1
	}
	digits, ok := strings.CutPrefix(name, "#")
	if !ok {
		return "&amp;", 1
	}
	base := 10
	if hex := strings.TrimLeft(digits, "xX"); hex != digits {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	switch {
	case err != nil:
		return "&amp;", 1
	case n > utf8.MaxRune || !legal(rune(n)):
		return illegal, end + 1
	}
	return "&#" + strconv.FormatUint(n, 10) + ";", end + 1
}

// legal tells whether XML allows the character. utf8.RuneError is allowed: it
// is what stands for the others.
func legal(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= utf8.MaxRune
}
