package sandbox

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// pushRequest is what a client asked for before its pack.
type pushRequest struct {
	moves  []refMove
	able   string
	pack   *bufio.Reader
	shared bool // the client cuts its answer into side bands
}

// receivePack takes a push: read the commands, store the objects, ask the
// rules, move the refs, report. Objects of a refused push stay behind unreached,
// as git's own garbage does.
func (f *Forge) receivePack(w http.ResponseWriter, r *http.Request, who *credential, repo *Repository, body io.Reader) {
	w.Header().Set("Content-Type", "application/x-git-receive-pack-result")
	push, err := readPush(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if len(push.moves) == 0 {
		_, _ = io.WriteString(w, flushPacket)
		return
	}
	if err := repo.store(r.Context(), push); err != nil {
		f.log.Warn("a pack was refused", "repository", repo.FullName(), "error", err)
		_, _ = io.WriteString(w, push.report("unpacker error", nil, nil))
		return
	}
	refusals, lines := repo.accept(who, push)
	_, _ = io.WriteString(w, push.report("", refusals, lines))
}

func readPush(body io.Reader) (*pushRequest, error) {
	push := &pushRequest{pack: bufio.NewReaderSize(body, 64<<10)}
	for {
		line, kind, err := readPacket(push.pack)
		if err != nil {
			return nil, fmt.Errorf("read push: %w", err)
		}
		if kind != dataPacket {
			return push, nil
		}
		command, able, first := strings.Cut(strings.TrimSuffix(string(line), "\n"), "\x00")
		if first {
			push.able = " " + strings.TrimSpace(able) + " "
			push.shared = strings.Contains(push.able, " side-band-64k ")
		}
		if strings.HasPrefix(command, "shallow ") {
			continue
		}
		parts := strings.SplitN(command, " ", 3)
		if len(parts) != 3 || !isSHA(parts[0]) || !isSHA(parts[1]) {
			return nil, errors.New("read push: bad command")
		}
		m := refMove{old: parts[0], new: parts[1], ref: parts[2]}
		if m.old == zeroSHA {
			m.old = ""
		}
		if m.new == zeroSHA {
			m.new = ""
		}
		push.moves = append(push.moves, m)
	}
}

// mostLoose is from how many objects on a pack is kept whole: writing many files costs more.
const mostLoose = 10

// store unpacks what came and makes sure that nothing below it is missing. A
// push of what is here already costs no process.
func (r *Repository) store(ctx context.Context, push *pushRequest) error {
	var tips []string
	for _, m := range push.moves {
		if m.new != "" {
			tips = append(tips, m.new)
		}
	}
	if len(tips) == 0 {
		return nil
	}
	head, err := push.pack.Peek(12)
	if err != nil || string(head[:4]) != "PACK" {
		return errors.New("store pack: no pack")
	}
	count := binary.BigEndian.Uint32(head[8:12])
	switch {
	case count == 0:
	case count < mostLoose:
		_, err = runGit(ctx, r.dir, push.pack, "unpack-objects", "-q", "--strict")
	default:
		_, err = runGit(ctx, r.dir, push.pack, "index-pack", "--stdin", "--fix-thin", "--strict")
	}
	if err != nil {
		return fmt.Errorf("store pack: %w", err)
	}
	return r.connect(ctx, tips...)
}

// accept moves what may be moved and says of each ref why not ("" is done),
// with lines for the person who pushes.
func (r *Repository) accept(who *credential, push *pushRequest) (refusals, lines []string) {
	f := r.forge
	f.mu.Lock()
	defer f.mu.Unlock()
	atomic := strings.Contains(push.able, " atomic ")
	refusals = make([]string, len(push.moves))
	declined := false
	for i, m := range push.moves {
		if !validRef(m.ref) || strings.HasPrefix(m.ref, "refs/pull/") {
			refusals[i] = "deny updating a hidden ref"
			continue
		}
		if said := r.objections(who.account(), m); len(said) > 0 {
			refusals[i], declined = "pre-receive hook declined", true
			lines = append(lines, said...)
		}
	}
	if declined && !atomic {
		// A pre-receive hook refuses a push as a whole.
		for i := range refusals {
			refusals[i] = "pre-receive hook declined"
		}
		return refusals, lines
	}
	if atomic {
		r.acceptTogether(who, push, refusals)
		return refusals, lines
	}
	var updates []RefUpdate
	for i, m := range push.moves {
		switch {
		case refusals[i] != "":
		case r.refs[m.ref] != m.old:
			refusals[i] = "failed to update ref"
		default:
			updates = append(updates, RefUpdate{Ref: m.ref, Old: orZero(m.old), New: m.new})
		}
	}
	if len(updates) > 0 {
		if err := r.move(who, updates); err != nil {
			f.log.Warn("a push could not move its refs", "repository", r.FullName(), "error", err)
			for i := range refusals {
				if refusals[i] == "" {
					refusals[i] = "failed to update ref"
				}
			}
		}
	}
	return refusals, lines
}

// acceptTogether moves all refs or none.
func (r *Repository) acceptTogether(who *credential, push *pushRequest, refusals []string) {
	refuse := func(why string) {
		for i := range refusals {
			if refusals[i] == "" {
				refusals[i] = why
			}
		}
	}
	updates := make([]RefUpdate, len(push.moves))
	for i, m := range push.moves {
		if refusals[i] != "" {
			refuse("atomic push failure")
			return
		}
		updates[i] = RefUpdate{Ref: m.ref, Old: orZero(m.old), New: m.new}
	}
	if err := r.move(who, updates); err != nil {
		r.forge.log.Debug("an atomic push failed", "repository", r.FullName(), "error", err)
		refuse("atomic transaction failed")
	}
}

func orZero(sha string) string {
	if sha == "" {
		return zeroSHA
	}
	return sha
}

// report words the outcome for the client; unpack is what went wrong before
// any ref was looked at.
func (p *pushRequest) report(unpack string, refusals, lines []string) string {
	state := "ok"
	if unpack != "" {
		state = unpack
	}
	status := packet("unpack " + state + "\n")
	for i, m := range p.moves {
		switch {
		case unpack != "":
			status += packet("ng " + m.ref + " unpacker error\n")
		case refusals[i] != "":
			status += packet("ng " + m.ref + " " + refusals[i] + "\n")
		default:
			status += packet("ok " + m.ref + "\n")
		}
	}
	status += flushPacket
	if !p.shared {
		return status
	}
	said := ""
	for _, line := range lines {
		said += line + "\n"
	}
	return sideband(2, said) + sideband(1, status) + flushPacket
}
