package shard

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// TestKey names a test for good: it depends on where the test is written and
// not on the run. Class is what the name is unique in (a package, a file).
func TestKey(suite, variant, class, name string) string {
	hash := sha256.New()
	for _, part := range []string{suite, variant, class, name} {
		hash.Write([]byte(part))
		hash.Write([]byte{0})
	}
	return "t_" + hex.EncodeToString(hash.Sum(nil)[:10])
}

// CleanName makes text fit for a name on the wire: valid UTF-8 in one line
// without control characters, cut to MaxName bytes. Marks that turn the
// direction of writing go too: with them a name shows as another.
func CleanName(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(text, string(utf8.RuneError)))
	return Cut(text, MaxName)
}

// CleanMessage makes text fit for a message on the wire: valid UTF-8, cut to
// MaxMessage bytes, no control characters but newline and tab, no workflow
// commands, nothing that looks like a token.
func CleanMessage(text string) string {
	// Cut early so that the work is bounded; cut again because masking may lengthen.
	text = Cut(text, MaxMessage)
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, string(utf8.RuneError)))
	text = tokens().ReplaceAllString(text, "***")
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = Harmless(line)
	}
	return Cut(strings.Join(lines, "\n"), MaxMessage)
}

// Harmless makes one line of foreign output fit to be shown in a job's log: the
// runner takes "::" at the start of a line, and "##[" anywhere, for commands.
func Harmless(line string) string {
	line = strings.ReplaceAll(line, "##[", "##\u200b[")
	if start := strings.TrimSpace(line); strings.HasPrefix(start, "::") {
		return strings.Replace(line, "::", "\u200b::", 1)
	}
	return line
}

// Cut shortens text to at most limit bytes, at the border of a character.
func Cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}

// tokens finds what looks like a credential: GitHub's prefixes and signed web
// tokens. It is compiled on first use so that starting the Action costs nothing.
var tokens = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\bgh[pousr]_[A-Za-z0-9_.\-]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}|\beyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{10,}`)
})
