package github

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// The everyday case decides how many calls a queue costs: a labelled pull request
// takes three, and who may write is looked up once for everybody.
func TestReadingALabelledPullRequestTakesThreeCalls(t *testing.T) {
	s := newScene(t)
	clock := &hands{now: time.Now()}
	s.app = s.newApp(Options{Clock: clock.read})
	pr := s.open("feature")

	s.read(pr.Number)
	s.expect("without the label", "GET /pulls/#")

	s.must(s.repo.Label(pr.Number, s.writer, label))
	got := s.read(pr.Number)
	s.expect("first reading", "GET /pulls/#", "GET /pulls/#/reviews", "GET /issues/#/events", "GET /collaborators/wren/permission")
	if w := got.Wish; w == nil || !w.MayWrite || w.ID == 0 || w.By.ID != s.writer.ID || w.By.Login != "wren" || w.At.IsZero() {
		t.Errorf("wish %+v", w)
	}
	got.Wish = nil
	want := queue.PullRequest{Number: int(pr.Number), Title: "Add feature", Author: queue.Actor{ID: s.writer.ID, Login: "wren"},
		Head: pr.HeadSHA, HeadRef: "feature", Base: "main", Status: queue.Open, ReadAt: clock.read(),
		Traits: &queue.Traits{Labels: []string{label}, Files: got.Traits.Files, Additions: got.Traits.Additions}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v\nwant %+v", got, want)
	}

	clock.advance(9 * time.Second)
	s.read(pr.Number)
	s.expect("nine seconds later", "GET /pulls/#", "GET /pulls/#/reviews", "GET /issues/#/events")

	clock.advance(2 * time.Second)
	s.must(s.repo.SetPermission(s.writer, "read"))
	if got := s.read(pr.Number); got.Wish == nil || got.Wish.MayWrite {
		t.Errorf("who lost the right to write still wishes: %+v", got.Wish)
	}
	s.expect("eleven seconds later", "GET /pulls/#", "GET /pulls/#/reviews", "GET /issues/#/events", "GET /collaborators/wren/permission")
}

// Triage may set labels at GitHub, but not land: the label's own event says who set it.
func TestALabelByTriageIsNoWritersWish(t *testing.T) {
	s := newScene(t)
	pr := s.open("feature")
	s.must(s.repo.Label(pr.Number, s.triager, label))
	first := s.read(pr.Number).Wish
	if first == nil || first.MayWrite || first.By.ID != s.triager.ID {
		t.Fatalf("wish %+v", first)
	}
	s.must(s.repo.Unlabel(pr.Number, s.writer, label))
	if w := s.read(pr.Number).Wish; w != nil {
		t.Errorf("a wish without the label: %+v", w)
	}
	s.must(s.repo.Label(pr.Number, s.writer, label))
	if w := s.read(pr.Number).Wish; w == nil || !w.MayWrite || w.ID <= first.ID {
		t.Errorf("the writer's wish %+v is no new one", w)
	}
}

// The other labels come along without a call, and count where a writer set them:
// holding needs no right, since it only keeps something from happening.
func TestOtherLabelsCountByWhoSetThem(t *testing.T) {
	for name, c := range map[string]struct {
		by     func(s *scene) *sandbox.User
		labels []string
		want   queue.PullRequest
	}{
		"none":               {func(s *scene) *sandbox.User { return s.writer }, nil, queue.PullRequest{}},
		"a hotfix":           {func(s *scene) *sandbox.User { return s.writer }, []string{"Hotfix"}, queue.PullRequest{Hotfix: true}},
		"all of them":        {func(s *scene) *sandbox.User { return s.writer }, []string{"hotfix", "hold", "solo"}, queue.PullRequest{Hotfix: true, Hold: true, Solo: true}},
		"two priorities":     {func(s *scene) *sandbox.User { return s.writer }, []string{"security", "chore"}, queue.PullRequest{Priority: 10}},
		"one below nothing":  {func(s *scene) *sandbox.User { return s.writer }, []string{"chore"}, queue.PullRequest{Priority: -5}},
		"a triager's":        {func(s *scene) *sandbox.User { return s.triager }, []string{"hotfix", "hold", "solo", "security"}, queue.PullRequest{Hold: true}},
		"labels of no sense": {func(s *scene) *sandbox.User { return s.writer }, []string{"bug"}, queue.PullRequest{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			pr := s.open("feature")
			s.must(s.repo.Label(pr.Number, s.writer, label))
			for _, one := range c.labels {
				s.must(s.repo.Label(pr.Number, c.by(s), one))
			}
			got := s.read(pr.Number)
			if got.Hotfix != c.want.Hotfix || got.Hold != c.want.Hold || got.Solo != c.want.Solo || got.Priority != c.want.Priority {
				t.Errorf("read %+v, want %+v", got, c.want)
			}
			if got.Wish == nil || !got.Wish.MayWrite {
				t.Errorf("wish %+v", got.Wish)
			}
			members, err := s.app.ReadMembers(s.ctx, s.place, []int{int(pr.Number)}, label, labels)
			if err != nil || members[0].Hold != c.want.Hold || members[0].Hotfix {
				t.Errorf("the last look reads %+v, %v", members, err)
			}
		})
	}
}

// Label events are listed oldest first and by the hundred: the newest must be
// found behind any number of others, and cheaply.
func TestTheWishIsFoundBehindManyEvents(t *testing.T) {
	s := newScene(t)
	pr := s.open("feature")
	s.must(s.repo.Label(pr.Number, s.triager, label))
	s.must(s.repo.Unlabel(pr.Number, s.triager, label))
	for i := range 60 {
		s.must(s.repo.Label(pr.Number, s.triager, fmt.Sprint("noise ", i)))
		s.must(s.repo.Unlabel(pr.Number, s.triager, fmt.Sprint("noise ", i)))
	}
	s.must(s.repo.Label(pr.Number, s.writer, "Merge-Queue")) // GitHub ignores case
	if w := s.read(pr.Number).Wish; w == nil || w.By.ID != s.writer.ID {
		t.Errorf("wish %+v", w)
	}
	s.expect("122 events before it", "GET /pulls/#", "GET /pulls/#/reviews", "GET /issues/#/events", "GET /issues/#/events", "GET /collaborators/wren/permission")

	for i := range 120 {
		s.must(s.repo.Label(pr.Number, s.triager, fmt.Sprint("more ", i)))
	}
	if w := s.read(pr.Number).Wish; w == nil || w.By.ID != s.writer.ID {
		t.Errorf("wish %+v, further back", w)
	}
}

// Reviews are where trust comes from: only a writer's newest word on exactly this
// head approves, and a request for changes stands until its author takes it back.
func TestReviewsCountAtTheirHead(t *testing.T) {
	s := newScene(t)
	type facts struct {
		approvals, stale int
		changes          []string
	}
	for _, c := range []struct {
		name string
		do   func(s *scene, pr int64)
		want facts
	}{
		{"nobody", func(s *scene, pr int64) {}, facts{}},
		{"an approval", func(s *scene, pr int64) { s.review(pr, s.maintainer, "approved") }, facts{approvals: 1}},
		{"two of the same person", func(s *scene, pr int64) {
			s.review(pr, s.maintainer, "approved")
			s.review(pr, s.maintainer, "approved")
		}, facts{approvals: 1}},
		{"of an older head", func(s *scene, pr int64) {
			s.review(pr, s.maintainer, "approved")
			s.pushTo(pr)
		}, facts{stale: 1}},
		{"of both", func(s *scene, pr int64) {
			s.review(pr, s.maintainer, "approved")
			s.pushTo(pr)
			s.review(pr, s.maintainer, "approved")
		}, facts{approvals: 1}},
		{"by triage", func(s *scene, pr int64) { s.review(pr, s.triager, "approved") }, facts{}},
		{"by a stranger", func(s *scene, pr int64) { s.review(pr, s.stranger, "approved") }, facts{}},
		{"by the author", func(s *scene, pr int64) { s.review(pr, s.writer, "approved") }, facts{}},
		{"changes asked for", func(s *scene, pr int64) {
			s.review(pr, s.maintainer, "approved")
			s.review(pr, s.maintainer, "changes_requested")
		},
			facts{changes: []string{"olga"}}},
		{"a comment takes nothing back", func(s *scene, pr int64) {
			s.review(pr, s.maintainer, "changes_requested")
			s.review(pr, s.maintainer, "commented")
		}, facts{changes: []string{"olga"}}},
		{"a push takes nothing back", func(s *scene, pr int64) {
			s.review(pr, s.maintainer, "changes_requested")
			s.pushTo(pr)
		}, facts{changes: []string{"olga"}}},
		{"an approval does", func(s *scene, pr int64) {
			s.review(pr, s.maintainer, "changes_requested")
			s.review(pr, s.maintainer, "approved")
		}, facts{approvals: 1}},
		{"a dismissal does", func(s *scene, pr int64) {
			s.review(pr, s.maintainer, "changes_requested")
			s.must(s.repo.DismissReviews(pr, s.maintainer, s.maintainer))
		}, facts{}},
		{"an approval dismissed", func(s *scene, pr int64) {
			s.review(pr, s.maintainer, "approved")
			s.must(s.repo.DismissReviews(pr, s.maintainer, s.maintainer))
		}, facts{}},
		{"changes asked for by triage", func(s *scene, pr int64) { s.review(pr, s.triager, "changes_requested") }, facts{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			pr := s.open(strings.ReplaceAll(c.name, " ", "-"))
			s.must(s.repo.Label(pr.Number, s.writer, label))
			c.do(s, pr.Number)
			got := s.read(pr.Number)
			if have := (facts{got.Approvals, got.StaleApprovals, got.ChangesRequested}); !reflect.DeepEqual(have, c.want) {
				t.Errorf("read %+v, want %+v", have, c.want)
			}
			members, err := s.app.ReadMembers(s.ctx, s.place, []int{int(pr.Number)}, label, labels)
			s.must(err)
			if m := members[0]; !reflect.DeepEqual(facts{m.Approvals, m.StaleApprovals, m.ChangesRequested}, c.want) {
				t.Errorf("the last look reads %+v, want %+v", m, c.want)
			}
		})
	}
}

// pushTo moves a pull request's head on.
func (s *scene) pushTo(pr int64) {
	s.t.Helper()
	now, _ := s.repo.PullRequest(pr)
	s.push(now.HeadRef, "", map[string]string{"x": "2"})
}

func (s *scene) review(pr int64, by *sandbox.User, state string) {
	s.t.Helper()
	s.must(s.repo.Review(pr, by, state))
}

// What has become of a pull request decides whether it stays in line.
func TestReadingWhatHasBecomeOfAPullRequest(t *testing.T) {
	s := newScene(t)
	pr := s.open("feature")
	s.must(s.repo.ConvertToDraft(pr.Number, s.writer))
	if got := s.read(pr.Number); !got.Draft || got.Fork {
		t.Errorf("as a draft: %+v", got)
	}
	s.must(s.repo.Close(pr.Number, s.writer))
	if got := s.read(pr.Number); got.Status != queue.ClosedStatus {
		t.Errorf("closed: %+v", got)
	}
	merged := s.open("quick")
	s.must(s.repo.Push(s.maintainer, sandbox.RefUpdate{Ref: "refs/heads/main", New: merged.HeadSHA}))
	if got := s.read(merged.Number); got.Status != queue.Merged {
		t.Errorf("its head pushed to the base: %+v", got)
	}
	if status, err := s.app.ReadStatus(s.ctx, s.place, int(merged.Number)); err != nil || status != queue.Merged {
		t.Errorf("status %s, %v", status, err)
	}
	read, err := s.app.ReadPullRequest(s.ctx, s.place, 4711, label, labels)
	if err != nil || !read.Gone || read.PR.Number != 4711 || read.PR.ReadAt.IsZero() {
		t.Errorf("one that never was: %+v, %v", read, err)
	}
	elsewhere := s.place
	elsewhere.Repository++
	if _, err := s.app.ReadPullRequest(s.ctx, elsewhere, int(pr.Number), label, labels); KindOf(err) != Forbidden {
		t.Errorf("a name that means another repository now: %v", err)
	}
}

// A branch that is not in the repository is not ours to move, also when the fork
// it was in is gone; and what a title holds is passed on as it is.
func TestReadingSaysWhoseBranchItIs(t *testing.T) {
	for _, c := range []struct {
		repo string
		fork bool
	}{{`{"id":42}`, false}, {`{"id":43}`, true}, {`null`, true}} {
		f := newForge(t, func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"number":3,"state":"open","title":"</script> `+"`x`"+`","created_at":"2018-04-25 20:42:10","user":null,
				"head":{"ref":"patch","sha":"%s","repo":%s},"base":{"ref":"main","repo":{"id":42}},"merged_at":null,"labels":[{"name":null}]}`, commitA, c.repo)
		})
		read, err := f.app(t, Options{}).ReadPullRequest(deadline(t), shop, 3, label, labels)
		if pr := read.PR; err != nil || pr.Fork != c.fork || pr.HeadRef != "patch" || pr.Title != "</script> `x`" || pr.Author.ID != 0 {
			t.Errorf("head in %s: %+v, %v", c.repo, read.PR, err)
		}
	}
}

// The last look before a landing is fresh, and takes as few calls as it can.
func TestTheLastLookReadsAllMembersAtOnce(t *testing.T) {
	s := newScene(t)
	var numbers []int
	for _, branch := range []string{"a", "b", "c"} {
		pr := s.open(branch)
		s.must(s.repo.Label(pr.Number, s.writer, label))
		s.review(pr.Number, s.maintainer, "approved")
		numbers = append(numbers, int(pr.Number))
		s.read(pr.Number)
	}
	s.must(s.repo.Unlabel(int64(numbers[1]), s.writer, label))
	s.must(s.repo.Close(int64(numbers[2]), s.writer))
	s.calls.take()

	members, err := s.app.ReadMembers(s.ctx, s.place, numbers, label, labels)
	s.must(err)
	s.expect("three members, one of them closed", "GET /pulls", "GET /pulls/#", "GET /pulls/#/reviews", "GET /pulls/#/reviews", "GET /pulls/#/reviews",
		"GET /collaborators/olga/permission")
	for i, want := range []struct {
		status queue.Status
		wish   bool
	}{{queue.Open, true}, {queue.Open, false}, {queue.ClosedStatus, true}} {
		m := members[i]
		if m.Number != numbers[i] || m.Status != want.status || (m.Wish != nil) != want.wish || m.Approvals != 1 || m.ReadAt.IsZero() {
			t.Errorf("member %d: %+v, want %+v", i, m, want)
		}
		if m.Wish != nil && m.Wish.ID != 0 {
			t.Errorf("the wish has id %d, and nobody looked for it", m.Wish.ID)
		}
	}

	s.must(s.repo.SetPermission(s.maintainer, "read"))
	members, err = s.app.ReadMembers(s.ctx, s.place, []int{numbers[0], 4711}, label, labels)
	s.must(err)
	if members[1].Status != queue.ClosedStatus || members[1].Number != 4711 {
		t.Errorf("one that GitHub does not know: %+v", members[1])
	}
	s.calls.take()
	if _, err = s.app.ReadMembers(s.ctx, s.place, numbers[:1], label, labels); err != nil {
		t.Error(err)
	}
	s.expect("one member", "GET /pulls/#", "GET /pulls/#/reviews", "GET /collaborators/olga/permission")
}

// Moved heads are waited for before the base moves: that GitHub shows them is
// asked in one call, however many there are.
func TestShowsHeads(t *testing.T) {
	s := newScene(t)
	a, b := s.open("a"), s.open("b")
	moves := []queue.Move{{PR: int(a.Number), Ref: "a", New: s.push("a", "", map[string]string{"a": "2"})}, {PR: int(b.Number), Ref: "b", New: commitA}}
	s.calls.take()
	if shown, err := s.app.ShowsHeads(s.ctx, s.place, moves); err != nil || shown {
		t.Errorf("one of them not yet: %v, %v", shown, err)
	}
	moves[1].New = s.push("b", "", map[string]string{"b": "2"})
	if shown, err := s.app.ShowsHeads(s.ctx, s.place, moves); err != nil || !shown {
		t.Errorf("both: %v, %v", shown, err)
	}
	s.expect("both of two, twice", "GET /pulls", "GET /pulls")
	if shown, err := s.app.ShowsHeads(s.ctx, s.place, moves[:1]); err != nil || !shown {
		t.Errorf("one: %v, %v", shown, err)
	}
	s.expect("one", "GET /pulls/#")
}
