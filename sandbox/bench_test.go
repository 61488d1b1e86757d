package sandbox_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/mainstay-ci/mainstay/sandbox"
)

// The sandbox must cost so little that a product's own time is what is measured.
func BenchmarkREST(b *testing.B) {
	forge, err := sandbox.Start(sandbox.Options{Dir: b.TempDir(), RateLimit: 1 << 30})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = forge.Close() }()
	alice := forge.NewUser("alice")
	repo, err := forge.NewRepository(sandbox.RepositoryOptions{Owner: "acme", Name: "widgets"})
	if err != nil {
		b.Fatal(err)
	}
	_ = repo.SetPermission(alice, "write")
	base, _ := repo.Commit("", map[string]string{"a": "1"}, "base")
	_ = repo.Push(alice, sandbox.RefUpdate{Ref: "main", New: base})
	for i := range 100 {
		branch := fmt.Sprintf("b%d", i)
		head, _ := repo.Commit("main", map[string]string{branch: "1"}, "head")
		_ = repo.Push(alice, sandbox.RefUpdate{Ref: branch, New: head})
		if _, err := repo.OpenPullRequest(sandbox.OpenPullRequest{By: alice, Head: branch}); err != nil {
			b.Fatal(err)
		}
	}
	for _, path := range []string{"/repos/acme/widgets/pulls/50", "/repos/acme/widgets/pulls?per_page=100", "/repos/acme/widgets/commits/main/check-runs", "/repos/acme/widgets/git/ref/heads/main"} {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				req, _ := http.NewRequest(http.MethodGet, forge.APIURL()+path, nil)
				req.Header.Set("Authorization", "token "+alice.Token)
				response, err := http.DefaultClient.Do(req)
				if err != nil || response.StatusCode != 200 {
					b.Fatal(err, response)
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
			}
		})
	}
}
