package sandbox

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"slices"
	"strings"
)

// mostFetch bounds the body of a fetch, which is only wants and haves.
const mostFetch = 64 << 20

// serveGit answers git's smart protocol over HTTP.
func (f *Forge) serveGit(w http.ResponseWriter, r *http.Request) {
	parts := append(strings.SplitN(strings.TrimPrefix(r.URL.Path, "/"), "/", 3), "", "", "")
	owner, tail := parts[0], parts[2]
	name := strings.TrimSuffix(parts[1], ".git")
	service := strings.TrimPrefix(tail, "git-")
	if tail == "info/refs" {
		service = strings.TrimPrefix(r.URL.Query().Get("service"), "git-")
	}
	if service != "upload-pack" && service != "receive-pack" {
		http.NotFound(w, r)
		return
	}
	route := "git " + service
	if tail == "info/refs" {
		route = "git info/refs " + service
	}
	f.count(route)
	f.withFaults(w, r, "", route, func(w http.ResponseWriter) {
		who, repo, ok := f.admit(w, r, owner, name, service)
		if !ok {
			return
		}
		body, err := plainBody(r)
		if err != nil {
			http.Error(w, "bad body", http.StatusBadRequest)
			return
		}
		w.Header().Set("Cache-Control", "no-cache")
		switch {
		case tail == "info/refs":
			f.advertise(w, r, repo, service)
		case service == "receive-pack":
			f.receivePack(w, r, who, repo, body)
		default:
			f.uploadPack(w, r, repo, body)
		}
	})
}

func plainBody(r *http.Request) (io.Reader, error) {
	if r.Header.Get("Content-Encoding") == "gzip" {
		return gzip.NewReader(r.Body)
	}
	return r.Body, nil
}

// admit checks who asks, as GitHub does: 401 for a bad token or none, 404 for
// what one may not see, 403 for what one may not write.
func (f *Forge) admit(w http.ResponseWriter, r *http.Request, owner, name, service string) (*credential, *Repository, bool) {
	who, err := f.authenticate(r)
	f.mu.Lock()
	defer f.mu.Unlock()
	repo := f.repository(owner, name)
	switch {
	case err != nil || who == nil && (repo == nil || !repo.public || service == "receive-pack"):
		w.Header().Set("WWW-Authenticate", `Basic realm="GitHub"`)
		http.Error(w, "Invalid username or token.", http.StatusUnauthorized)
	case repo == nil || !who.may(repo, "contents:read"):
		http.Error(w, "Repository not found.", http.StatusNotFound)
	case service == "receive-pack" && !who.may(repo, "contents:write"):
		http.Error(w, fmt.Sprintf("Permission to %s.git denied to %s.", repo.FullName(), who.account().login), http.StatusForbidden)
	default:
		return who, repo, true
	}
	return nil, nil, false
}

const agent = "agent=git/sandbox"

// pushAbilities is what the receiving side says it can do.
const pushAbilities = "report-status delete-refs side-band-64k quiet atomic ofs-delta object-format=sha1 " + agent

// advertise writes the refs from memory; only a fetch of the old protocol asks git.
func (f *Forge) advertise(w http.ResponseWriter, r *http.Request, repo *Repository, service string) {
	w.Header().Set("Content-Type", "application/x-git-"+service+"-advertisement")
	_, _ = io.WriteString(w, packet("# service=git-"+service+"\n")+flushPacket)
	if service == "receive-pack" {
		_, _ = io.WriteString(w, repo.pushAdvertisement())
		return
	}
	if strings.Contains(r.Header.Get("Git-Protocol"), "version=2") {
		_, _ = io.WriteString(w, packet("version 2\n")+packet(agent+"\n")+packet("ls-refs=unborn\n")+
			packet("fetch=shallow wait-for-done filter\n")+packet("server-option\n")+packet("object-format=sha1\n")+flushPacket)
		return
	}
	f.runUploadPack(w, r, repo, nil, "--advertise-refs")
}

// sortedRefs lists names in git's order; the lock is held.
func (r *Repository) sortedRefs() []string {
	names := make([]string, 0, len(r.refs))
	for name := range r.refs {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (r *Repository) pushAdvertisement() string {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	var b strings.Builder
	able := "\x00" + pushAbilities
	for _, name := range r.sortedRefs() {
		b.WriteString(packet(r.refs[name] + " " + name + able + "\n"))
		able = ""
	}
	if able != "" {
		b.WriteString(packet(zeroSHA + " capabilities^{}" + able + "\n"))
	}
	return b.String() + flushPacket
}

// uploadPack answers ls-refs from memory and lets git do the fetching.
func (f *Forge) uploadPack(w http.ResponseWriter, r *http.Request, repo *Repository, body io.Reader) {
	w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
	request, err := io.ReadAll(io.LimitReader(body, mostFetch))
	if err != nil {
		return
	}
	in := bytes.NewReader(request)
	if first, _, err := readPacket(in); err == nil && strings.TrimSpace(string(first)) == "command=ls-refs" {
		_, _ = io.WriteString(w, repo.listRefs(in))
		return
	}
	f.runUploadPack(w, r, repo, bytes.NewReader(request))
}

func (f *Forge) runUploadPack(w http.ResponseWriter, r *http.Request, repo *Repository, in io.Reader, more ...string) {
	args := append([]string{"-c", "uploadpack.allowFilter=true", "-c", "uploadpack.allowAnySHA1InWant=true", "-c", "core.fsync=none",
		"upload-pack", "--stateless-rpc"}, more...)
	cmd := exec.CommandContext(r.Context(), "git", append(args, repo.dir)...)
	cmd.Env = append(gitEnv(), "GIT_PROTOCOL="+r.Header.Get("Git-Protocol"))
	var complaint bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, w, &complaint
	if err := cmd.Run(); err != nil && r.Context().Err() == nil {
		f.log.Warn("a fetch failed", "repository", repo.FullName(), "error", err, "git", complaint.String())
	}
}

// listRefs answers the rest of an ls-refs request.
func (r *Repository) listRefs(in io.Reader) string {
	var prefixes []string
	peel, symrefs := false, false
	for {
		line, kind, err := readPacket(in)
		if err != nil || kind == flushKind {
			break
		}
		word, value, _ := strings.Cut(strings.TrimSuffix(string(line), "\n"), " ")
		switch word {
		case "ref-prefix":
			prefixes = append(prefixes, value)
		case "peel":
			peel = true
		case "symrefs":
			symrefs = true
		}
	}
	wanted := func(name string) bool {
		return len(prefixes) == 0 || slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
	}
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	var b strings.Builder
	if tip := r.refs["refs/heads/"+r.branch]; tip != "" && wanted("HEAD") {
		line := tip + " HEAD"
		if symrefs {
			line += " symref-target:refs/heads/" + r.branch
		}
		b.WriteString(packet(line + "\n"))
	}
	for _, name := range r.sortedRefs() {
		if !wanted(name) {
			continue
		}
		line := r.refs[name] + " " + name
		if peel && strings.HasPrefix(name, "refs/tags/") {
			if commit := r.peeled(r.refs[name]); commit != "" {
				line += " peeled:" + commit
			}
		}
		b.WriteString(packet(line + "\n"))
	}
	return b.String() + flushPacket
}

// peeled is what an annotated tag points at, "" for anything else.
func (r *Repository) peeled(sha string) string {
	kind, _, _, err := r.objects.read(sha)
	if err != nil || kind != "tag" {
		return ""
	}
	_, id, _, err := r.objects.read(sha + "^{}")
	if err != nil {
		return ""
	}
	return id
}
