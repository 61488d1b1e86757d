package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Signer signs commits with an ssh key, as git does with gpg.format=ssh. The key
// is only ever named by its file. With an Ed25519 or RSA key the same commit gets the
// same signature, so that a rebuild gives the same commits.
type Signer struct{ KeyFile string }

// signLimit is far more than a signature takes: a key that wants a passphrase, or
// a hand on a token, is none for a server.
const signLimit = 10 * time.Second

// Check signs something, to learn whether the key can. Errors: ssh-keygen missing,
// and whatever it says of the key.
func (s *Signer) Check(ctx context.Context) error {
	_, err := s.sign(ctx, []byte("check"))
	return err
}

// sign gives the armoured signature of a commit's bytes.
func (s *Signer) sign(ctx context.Context, payload []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, signLimit)
	defer cancel()
	process := exec.CommandContext(ctx, "ssh-keygen", "-Y", "sign", "-n", "git", "-f", s.KeyFile)
	// Whatever it would ask nobody can answer.
	process.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "SSH_ASKPASS_REQUIRE=force", "SSH_ASKPASS=/bin/false"}
	process.Stdin = bytes.NewReader(payload)
	process.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal to ask at
	var stdout, stderr bytes.Buffer
	process.Stdout, process.Stderr = &stdout, &limited{buffer: &stderr, left: 4 << 10}
	err := process.Run()
	if err == nil && !bytes.HasPrefix(stdout.Bytes(), []byte("-----BEGIN SSH SIGNATURE-----\n")) {
		err = errors.New("its answer is no signature")
	}
	if err != nil {
		return nil, fmt.Errorf("sign with %s: %w: %s", s.KeyFile, err, brief(stderr.String()))
	}
	return stdout.Bytes(), nil
}

// signed is a commit's text with its signature, where commits are signed.
func (w *worker) signed(ctx context.Context, text []byte) ([]byte, error) {
	if w.clone.signer == nil {
		return text, nil
	}
	signature, err := w.clone.signer.sign(ctx, text)
	if err != nil {
		return nil, err
	}
	end := bytes.Index(text, []byte("\n\n")) + 1
	lines := strings.ReplaceAll(strings.TrimRight(string(signature), "\n"), "\n", "\n ")
	return []byte(string(text[:end]) + "gpgsig " + lines + "\n" + string(text[end:])), nil
}
