package runner

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// The actions that are part of this runner.
const (
	checkout = "actions/checkout"
	setupGo  = "actions/setup-go"
	upload   = "actions/upload-artifact"
)

// usesRef is a parsed `uses:`.
type usesRef struct {
	local       string // ./path, relative to the workspace
	owner, repo string
	path        string // a folder inside the repository
	ref         string
}

func parseUses(s string) (usesRef, error) {
	if strings.HasPrefix(s, "docker://") {
		return usesRef{}, fmt.Errorf("%s is not supported: there are no containers here", s)
	}
	if s == "." || strings.HasPrefix(s, "./") {
		if !filepath.IsLocal(s) {
			return usesRef{}, fmt.Errorf("%s leaves the workspace", s)
		}
		return usesRef{local: filepath.Clean(s)}, nil
	}
	name, ref, ok := strings.Cut(s, "@")
	parts := strings.SplitN(name, "/", 3)
	if !ok || ref == "" || len(parts) < 2 || parts[0] == "" || parts[1] == "" {
		return usesRef{}, fmt.Errorf("%q is neither owner/name@ref nor ./path", s)
	}
	u := usesRef{owner: parts[0], repo: parts[1], ref: ref}
	if len(parts) == 3 {
		u.path = filepath.Clean(parts[2])
		if !filepath.IsLocal(u.path) {
			return usesRef{}, fmt.Errorf("%s leaves its repository", s)
		}
	}
	return u, nil
}

func (u usesRef) name() string { return u.owner + "/" + u.repo }

// builtin names the action of this runner that is meant, or is empty.
func (u usesRef) builtin() string {
	if n := strings.ToLower(u.name()); u.path == "" && (n == checkout || n == setupGo || n == upload) {
		return n
	}
	return ""
}

// checkoutInputs are the inputs of checkout that may be given.
var checkoutInputs = []string{"clean", "fetch-depth", "fetch-tags", "lfs", "path", "persist-credentials", "ref", "repository",
	"set-safe-directory", "show-progress", "submodules", "token"}

var fullSHA = regexp.MustCompile(`\A[0-9a-f]{40}([0-9a-f]{24})?\z`)

// checkCheckoutInput refuses values that ask for more than the tree of one
// commit of this repository, which is all a checkout brings here.
func checkCheckoutInput(name, value string) error {
	name = strings.ToLower(name)
	allowed, fixed := map[string]string{
		"clean": "true", "fetch-depth": "1", "fetch-tags": "false", "lfs": "false",
		"persist-credentials": "false", "submodules": "false",
	}[name]
	switch {
	case !slices.Contains(checkoutInputs, name):
		return fmt.Errorf("checkout input %q is not supported", name)
	case fixed && value != "" && value != allowed:
		return fmt.Errorf("checkout with %s: %s is not supported (only %s): a checkout is the commit's tree without .git", name, value, allowed)
	case name == "path" && !filepath.IsLocal(value):
		return fmt.Errorf("checkout path %q leaves the workspace", value)
	case name == "ref" && value != "" && !fullSHA.MatchString(value):
		return errors.New("checkout ref: only a full commit id is supported")
	}
	return nil
}
