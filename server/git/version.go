package git

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// oldest is the first git with merge-tree --stdin and the patch-id rules that
// the duplicate check repeats.
var oldest = version{2, 39}

// flushes is the first git whose merge-tree answers each line at once; below
// it the child runs under stdbuf.
var flushes = version{2, 49}

type version struct{ major, minor int }

func (v version) before(w version) bool {
	return v.major < w.major || v.major == w.major && v.minor < w.minor
}

var versionText = regexp.MustCompile(`git version (\d+)\.(\d+)`)

// CheckVersion says in one sentence what is wrong when git is missing or older
// than this package needs; otherwise it returns nil.
func CheckVersion(ctx context.Context) error {
	_, err := readVersion(ctx)
	return err
}

func readVersion(ctx context.Context) (version, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "git", "--version").Output()
	if errors.Is(err, exec.ErrNotFound) {
		return version{}, fmt.Errorf("git is not installed (not found in PATH); version %d.%d or newer is needed", oldest.major, oldest.minor)
	}
	if err != nil {
		return version{}, fmt.Errorf("ask git for its version: %w", err)
	}
	return parseVersion(string(out))
}

func parseVersion(text string) (version, error) {
	m := versionText.FindStringSubmatch(text)
	if m == nil {
		return version{}, fmt.Errorf("git gives no version that can be read (%.60q); %d.%d or newer is needed", text, oldest.major, oldest.minor)
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	v := version{major, minor}
	if v.before(oldest) {
		return version{}, fmt.Errorf("git is version %d.%d; %d.%d or newer is needed", v.major, v.minor, oldest.major, oldest.minor)
	}
	return v, nil
}
