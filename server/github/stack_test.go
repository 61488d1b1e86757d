package github

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
)

// A stack is followed to a branch that has a queue or is protected; a base that is
// nobody's head asks for a queue of its own, and a `stack` of any shape is GitHub's.
func TestAStackIsFollowedDown(t *testing.T) {
	at := func(number int, head, base, more string) string {
		return fmt.Sprintf(`{"number":%d,"state":"open","labels":[{"name":"merge-queue"}],"body":"Depends-On: #7, other/one#8",
			"head":{"ref":%q,"sha":"%040d","repo":{"id":42}},"base":{"ref":%q,"repo":{"id":42,"full_name":"acme/shop","default_branch":"main"}}%s}`, number, head, number, base, more)
	}
	for name, c := range map[string]struct {
		lists  map[string]string // by head asked for
		queues []string
		want   *queue.Stack
		opens  string
	}{
		"two below":           {map[string]string{"mid": "[" + at(2, "mid", "low", "") + "]", "low": "[" + at(1, "low", "main", "") + "]"}, nil, &queue.Stack{Below: []int{2, 1}, Base: "main", Native: true}, ""},
		"a branch of its own": {map[string]string{}, nil, nil, "mid"},
		"another queue's":     {map[string]string{"mid": "[" + at(2, "mid", "low", "") + "]"}, []string{"low"}, &queue.Stack{Below: []int{2}, Base: "low", Native: true}, ""},
		"a circle": {map[string]string{"mid": "[" + at(2, "mid", "top", "") + "]", "top": "[" + at(3, "top", "mid", "") + "]"}, nil,
			&queue.Stack{Below: []int{2}, Base: "main", Flaw: queue.FlawCycle, At: 3, Ref: "top", Native: true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newForge(t, func(w http.ResponseWriter, r *http.Request) {
				_, last, _ := strings.Cut(r.URL.Path, "/pulls")
				switch {
				case last == "/3":
					_, _ = fmt.Fprint(w, at(3, "top", "mid", `,"stack":{"anything":[1]}`))
				case strings.HasSuffix(r.URL.Path, "/pulls"):
					_, ref, _ := strings.Cut(r.URL.Query().Get("head"), ":")
					list := c.lists[ref]
					if list == "" {
						list = "[]"
					}
					_, _ = fmt.Fprint(w, list)
				case strings.Contains(r.URL.Path, "/branches/"):
					_, _ = fmt.Fprint(w, `{"protected":false}`)
				case strings.Contains(r.URL.Path, "/pulls/7"):
					_, _ = fmt.Fprint(w, at(7, "seven", "main", ""))
				default:
					_, _ = fmt.Fprint(w, "[]")
				}
			})
			read, err := f.app(t, Options{}).ReadInStack(deadline(t), shop, queue.ReadPullRequest{Number: 3, Label: label, Labels: labels}, c.queues)
			if err != nil || !reflect.DeepEqual(read.PR.Stack, c.want) || read.Opens != c.opens {
				t.Fatalf("%+v, opens %q: %v", read.PR.Stack, read.Opens, err)
			}
			if !slices.Equal(read.PR.Strange, []string{"other/one#8"}) || len(read.PR.Needs) != 1 || read.PR.Needs[0].PR != 7 {
				t.Errorf("needs %+v, and %q", read.PR.Needs, read.PR.Strange)
			}
		})
	}
}
