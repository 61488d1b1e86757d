package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// RepositoryOptions describes a repository. Owner and Name are needed.
type RepositoryOptions struct {
	Owner, Name string
	// Dir is where the bare repository lies; one that exists is adopted with
	// its refs. Empty is a folder of the forge's own.
	Dir string
	// DefaultBranch is main when empty; of an adopted repository, its HEAD.
	DefaultBranch string
	// Public lets everyone read, without a token.
	Public bool
}

// Repository is one repository with its pull requests, checks and runs.
type Repository struct {
	ID   int64
	Name string

	forge     *Forge
	owner     account
	dir       string
	branch    string
	public    bool
	created   time.Time
	pushed    time.Time
	parent    *Repository
	objects   *objects
	refWriter resident
	refs      map[string]string
	connected map[string]bool

	roles         map[int64]string
	rules         []ruleset
	policy        actionsPolicy
	owners        map[string]*User // of files, for reviews by code owners
	labels        []*label
	pulls         []*pull
	suites        []*suite
	checks        []*check
	statuses      []*status
	comments      []*comment
	issues        []*issue
	deletesMerged bool
	archived      bool
	workflows     map[string]string
	foreign       bool // its own workflows are not run
	runs          []*run
	runCount      map[string]int64
	merging       int
	shape         json.RawMessage
	shapeOf       string
}

// NewRepository makes a bare repository, or adopts the one in Dir. It fails
// when the name is taken, the folder is no bare repository, or git is missing.
func (f *Forge) NewRepository(options RepositoryOptions) (*Repository, error) {
	subject := options.Owner + "/" + options.Name
	for _, part := range []string{options.Owner, options.Name} {
		if part == "" || part == "." || part == ".." || strings.ContainsAny(part, "/\\ \x00") {
			return nil, fmt.Errorf("make repository %q: bad name", subject)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.repository(options.Owner, options.Name) != nil {
		return nil, fmt.Errorf("make repository %s: the name is taken", subject)
	}
	repo := &Repository{
		ID: f.newID(), Name: options.Name, forge: f, owner: f.owner(options.Owner), dir: options.Dir,
		branch: options.DefaultBranch, public: options.Public, created: f.now(), pushed: f.now(),
		refs: map[string]string{}, connected: map[string]bool{}, roles: map[int64]string{}, runCount: map[string]int64{},
	}
	if repo.dir == "" {
		repo.dir = filepath.Join(f.options.Dir, "repositories", options.Owner, options.Name+".git")
	}
	if err := repo.open(f.ctx); err != nil {
		return nil, fmt.Errorf("make repository %s: %w", subject, err)
	}
	f.repos = append(f.repos, repo)
	f.touch()
	return repo, nil
}

// open makes the folder a bare repository unless it is one, and reads it.
func (r *Repository) open(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(r.dir, "objects")); errors.Is(err, fs.ErrNotExist) {
		if r.branch == "" {
			r.branch = "main"
		}
		if err := os.MkdirAll(r.dir, 0o755); err != nil {
			return err
		}
		if _, err := runGit(ctx, r.dir, nil, "init", "--quiet", "--bare", "--template=", "--initial-branch="+r.branch); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	r.objects = newObjects(r.dir)
	r.refWriter = resident{dir: r.dir, args: []string{"update-ref", "--stdin"}}
	if err := r.readRefs(ctx); err != nil {
		return err
	}
	if len(r.refs) == 0 {
		return nil
	}
	return r.objects.loadHistory(ctx)
}

func (r *Repository) readRefs(ctx context.Context) error {
	out, err := runGit(ctx, r.dir, nil, "for-each-ref", "--format=%(objectname) %(refname)")
	if err != nil {
		return err
	}
	refs := map[string]string{}
	for _, line := range strings.Split(string(out), "\n") {
		if sha, name, ok := strings.Cut(line, " "); ok {
			refs[name] = sha
			r.connected[sha] = true
		}
	}
	r.refs = refs
	if r.branch == "" {
		head, err := os.ReadFile(filepath.Join(r.dir, "HEAD"))
		if err != nil {
			return err
		}
		r.branch = strings.TrimPrefix(strings.TrimSpace(string(head)), "ref: refs/heads/")
	}
	return nil
}

// repository finds a repository by name, ignoring case; the lock is held.
func (f *Forge) repository(owner, name string) *Repository {
	for _, repo := range f.repos {
		if strings.EqualFold(repo.owner.login, owner) && strings.EqualFold(repo.Name, name) {
			return repo
		}
	}
	return nil
}

// GitDir is the bare repository's folder. Objects may be added there with git;
// refs must be moved through the forge, which keeps them in memory.
func (r *Repository) GitDir() string { return r.dir }

// FullName is owner/name.
func (r *Repository) FullName() string { return r.owner.login + "/" + r.Name }

// CloneURL is where git finds the repository.
func (r *Repository) CloneURL() string { return r.forge.url + "/" + r.FullName() + ".git" }

// DefaultBranch is the short name of the default branch.
func (r *Repository) DefaultBranch() string { return r.branch }

// Refs returns all refs by full name, also refs/pull/N/head.
func (r *Repository) Refs() map[string]string {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	return maps.Clone(r.refs)
}

// Ref returns the commit of a branch's short name or a full ref name, "" when
// there is none.
func (r *Repository) Ref(name string) string {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	return r.refs[fullRef(name)]
}

func fullRef(name string) string {
	if strings.HasPrefix(name, "refs/") {
		return name
	}
	return "refs/heads/" + name
}

var roleRank = map[string]int{"none": 0, "read": 1, "triage": 2, "write": 3, "maintain": 4, "admin": 5}

// SetPermission gives a person a role: none, read, triage, write, maintain or admin.
func (r *Repository) SetPermission(user *User, role string) error {
	if _, ok := roleRank[role]; !ok {
		return fmt.Errorf("give %s the role %q: no such role", user.Login, role)
	}
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	r.roles[user.ID] = role
	r.forge.touch()
	return nil
}

// role of an account; the owner is admin, and the public may read.
func (r *Repository) role(id int64) string {
	if id == r.owner.id {
		return "admin"
	}
	if role, ok := r.roles[id]; ok {
		return role
	}
	if r.public {
		return "read"
	}
	return "none"
}

// Fork makes the person's own copy with every branch. It shares the objects of
// the original and has refs of its own.
func (r *Repository) Fork(user *User) (*Repository, error) {
	dir := filepath.Join(r.forge.options.Dir, "repositories", user.Login, r.Name+".git")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("fork %s: %w", r.FullName(), err)
	}
	if _, err := runGit(r.forge.ctx, dir, nil, "init", "--quiet", "--bare", "--template=", "--initial-branch="+r.branch); err != nil {
		return nil, fmt.Errorf("fork %s: %w", r.FullName(), err)
	}
	shared := filepath.Join(dir, "objects", "info")
	err := os.MkdirAll(shared, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(shared, "alternates"), []byte(filepath.Join(r.dir, "objects")+"\n"), 0o644)
	}
	if err != nil {
		return nil, fmt.Errorf("fork %s: %w", r.FullName(), err)
	}
	fork, err := r.forge.NewRepository(RepositoryOptions{Owner: user.Login, Name: r.Name, Dir: dir, DefaultBranch: r.branch, Public: r.public})
	if err != nil {
		return nil, fmt.Errorf("fork %s: %w", r.FullName(), err)
	}
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	fork.parent = r
	var updates []RefUpdate
	for name, sha := range r.refs {
		if strings.HasPrefix(name, "refs/heads/") {
			updates = append(updates, RefUpdate{Ref: name, New: sha})
		}
	}
	if err := fork.writeRefs(updates); err != nil {
		return nil, fmt.Errorf("fork %s: %w", r.FullName(), err)
	}
	return fork, nil
}
