package suite

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// expression is a pattern that is compiled when it is first used: starting the
// Action costs nothing.
func expression(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

// stripper takes out of names what differs from run to run, so that a test is
// known again.
type stripper struct{ folders []string }

// changing is what differs from run to run, and what stands for it. Hexadecimal
// numbers of less than eight digits are more often a test's parameter than an address.
var changing = []struct {
	hints []string // one of them is in it, or there is nothing to find
	find  func() *regexp.Regexp
	place string
}{
	{[]string{"/T/"}, expression(`(?:/private)?/var/folders/[^/\s]+/[^/\s]+/T/[^/\s'"\])>]+`), "/tmp/…"},
	{[]string{"/tmp/"}, expression(`/(?:var/)?tmp/[^/\s'"\])>]+`), "/tmp/…"},
	{[]string{"Temp", "TEMP"}, expression(`(?i)[A-Z]:[\\/]Users[\\/][^\\/\s]+[\\/]AppData[\\/]Local[\\/]Temp[\\/][^\\/\s'"\])>]+`), "/tmp/…"},
	{[]string{"0x", "0X"}, expression(`\b0[xX][0-9a-fA-F]{8,16}\b`), "0x…"},
	{[]string{"eed", "EED"}, expression(`(?i)\b(seed[ =:]+)-?\d+\b`), "${1}…"},
	{[]string{"-"}, expression(`\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b`), "…"},
}

// newStripper knows the folders that are elsewhere on another machine.
func newStripper(s Suite) stripper {
	var st stripper
	for _, dir := range []string{s.Dir, s.Root} {
		if dir = absolute(dir); len(dir) > 1 {
			st.folders = append(st.folders, filepath.ToSlash(dir)+"/", dir+string(filepath.Separator))
		}
	}
	return st
}

// name is a name without what differs from run to run.
func (st stripper) name(text string) string {
	for _, folder := range st.folders {
		if strings.Contains(text, folder) {
			text = strings.ReplaceAll(text, folder, "")
		}
	}
	for _, c := range changing {
		for _, hint := range c.hints {
			if strings.Contains(text, hint) {
				text = c.find().ReplaceAllString(text, c.place)
				break
			}
		}
	}
	return text
}

// fit makes a clean name of a size that the wire takes. Of a longer one the end
// is a hash of the whole: it stays apart from others that begin alike.
func fit(name string) string {
	name = strings.TrimSpace(name)
	if len(name) > shard.MaxName {
		hash := sha256.Sum256([]byte(name))
		name = shard.Cut(shard.CleanName(name), shard.MaxName-24) + "…" + hex.EncodeToString(hash[:8])
	}
	return shard.CleanName(name)
}
