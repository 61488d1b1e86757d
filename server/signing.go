package main

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/server/git"
)

// sign takes the settings of signed commits, and tries the key: a server that can't
// sign would find out at the first batch.
func (c serveCommand) sign(s *settings) error {
	if c.Commits != "" {
		who, err := mail.ParseAddress(c.Commits)
		if err != nil || who.Name == "" || strings.ContainsAny(who.Name, "<>\n\r\x00") {
			return fmt.Errorf("MAINSTAY_COMMITTER is %.100q; it must read like Release Bot <bot@example.com>", c.Commits)
		}
		s.committer = git.Committer{Name: who.Name, Email: who.Address}
	}
	if c.SignKey == "" {
		return nil
	}
	if c.Commits == "" {
		return errors.New("MAINSTAY_SIGNING_KEY_FILE is set and MAINSTAY_COMMITTER is not: GitHub verifies a signature against its committer's address, so name the key's owner")
	}
	s.signer = &git.Signer{KeyFile: c.SignKey}
	if err := s.signer.Check(context.Background()); err != nil {
		return fmt.Errorf("MAINSTAY_SIGNING_KEY_FILE can't be used (it must be an ssh key without a passphrase, readable by its owner only, and ssh-keygen must be installed): %w", err)
	}
	return nil
}

// signature is who an attempt's commits are made by. No commit of an attempt may
// have existed before: its number is in the address, or in a trailer where somebody
// else's address stands.
func (p *performer) signature(place queue.Place, task queue.BuildAttempt) (git.Committer, []string) {
	who := p.committer
	who.When = task.At
	if who.Email != "" {
		return who, []string{fmt.Sprintf("Mainstay-Attempt: %d/%d", place.ID, task.Attempt)}
	}
	who.Name, who.Email = "Mainstay", fmt.Sprintf("attempt-%d@queue-%d.mainstay.invalid", task.Attempt, place.ID)
	return who, nil
}
