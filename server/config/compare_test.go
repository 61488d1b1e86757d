package config

import (
	"reflect"
	"slices"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
)

// What a new file changes is told setting by setting, for each branch it names.
func TestCompare(t *testing.T) {
	old, _ := read(t, "version: 1\nqueues:\n  - {branch: main, label: land, batch: {size: 4}, checks: [a]}\n  - {branch: release/*, parallel: 2}\n")
	next, _ := read(t, "version: 1\nqueues:\n  - {branch: main, label: land, batch: {size: auto, wait: 90s}, checks: [a, {name: b, skipped: ok}], timeouts: {run: 1h30m}}\n  - {branch: hot, suites: {unit: 4}}\n")
	want := []Change{
		{"main", "checks", "a", "a, b (skipped ok)"}, {"main", "batch.size", "4", "auto"}, {"main", "batch.wait", "0s", "1m30s"}, {"main", "timeouts.run", "auto", "1h30m"},
		{"release/*", "parallel", "2", "1"}, {"hot", "suites", "none", `{"unit":4}`},
	}
	if got := Compare(old, next); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	if got := Compare(old, old); len(got) > 0 {
		t.Errorf("with itself: %+v", got)
	}
	if got := Compare(nil, nil); len(got) > 0 {
		t.Errorf("without files: %+v", got)
	}
	first, _ := read(t, "version: 1\nqueues:\n  - {when: pr.files < 9, priority: '3', flaky: {quarantine: off}}\n")
	if got := Compare(nil, first); !slices.Equal(got, []Change{{defaultBranch, "when", "none", "pr.files < 9"}, {defaultBranch, "priority", "none", "3"}, {defaultBranch, "flaky.quarantine", "14d", "off"}}) {
		t.Errorf("the first file: %+v", got)
	}
}

// A setting that nobody words would change unseen.
func TestEverySettingIsCompared(t *testing.T) {
	usual := shown(queue.Defaults())
	var another func(v reflect.Value, at string, look func(at string))
	another = func(v reflect.Value, at string, look func(at string)) {
		if v.Kind() == reflect.Struct {
			for i := range v.NumField() {
				another(v.Field(i), at+"."+v.Type().Field(i).Name, look)
			}
			return
		}
		was := reflect.New(v.Type()).Elem()
		was.Set(v)
		switch v.Kind() {
		case reflect.String:
			v.SetString(v.String() + "x")
		case reflect.Bool:
			v.SetBool(!v.Bool())
		case reflect.Int, reflect.Int64:
			v.SetInt(v.Int() + 1)
		case reflect.Map:
			v.Set(reflect.ValueOf(map[string]int{"x": 1}))
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			if v.Index(0).Kind() == reflect.Struct {
				v.Index(0).Field(0).SetString("x")
			}
		default:
			t.Fatalf("%s is a %s", at, v.Kind())
		}
		look(at)
		v.Set(was)
	}
	s := queue.Defaults()
	another(reflect.ValueOf(&s).Elem(), "", func(at string) {
		if slices.Equal(shown(s), usual) && at != ".Labels.All" { // that follows from priority
			t.Errorf("a change of %s is not shown", at)
		}
	})
}
