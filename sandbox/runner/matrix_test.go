package runner

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// How a matrix multiplies decides how many shards there are and what they test.
func TestMatrixExpansion(t *testing.T) {
	for _, c := range []struct{ matrix, want string }{
		{"{b: [1, 2], a: [x, y]}", "b=1 a=x|b=1 a=y|b=2 a=x|b=2 a=y"},
		{"{a: [1, 2], exclude: [{a: 1}]}", "a=2"},
		{"{a: [1, 2], b: [x, y], exclude: [{a: 1, b: x}, {b: y}]}", "a=2 b=x"},
		{"{include: [{s: 0, t: p}, {s: 1}]}", "s=0 t=p|s=1"},
		{"{fruit: [apple, pear], animal: [cat, dog], include: [{color: green}, {color: pink, animal: cat}, {fruit: apple, shape: circle}, {fruit: banana}, {fruit: banana, animal: cat}]}",
			"fruit=apple animal=cat color=pink shape=circle|fruit=apple animal=dog color=green shape=circle|fruit=pear animal=cat color=pink|fruit=pear animal=dog color=green|fruit=banana|fruit=banana animal=cat"},
		{"{os: [{name: l, v: [1]}, {name: w}], exclude: [{os: {name: w}}]}", "os=l, 1"},
		{"{A-b: ['0', 0, true, null, 1.50, \"${{ github.sha }}\"]}", "A-b=0|A-b=0|A-b=true|A-b=|A-b=1.5|A-b=S"},
	} {
		w, err := Parse("w.yml", []byte("on: push\njobs:\n  a:\n    runs-on: x\n    strategy:\n      matrix: "+c.matrix+"\n    steps: [{run: a}]\n"))
		if err != nil {
			t.Errorf("%s: %v", c.matrix, err)
			continue
		}
		s := &scope{lookup: func(string) (any, bool) { return &object{members: []member{{"sha", "S"}}}, true }}
		combinations, err := w.jobs[0].matrix.expand(s)
		if err != nil {
			t.Errorf("%s: %v", c.matrix, err)
			continue
		}
		var got []string
		for _, o := range combinations {
			var parts []string
			for _, m := range o.members {
				parts = append(parts, m.name+"="+label(m.value))
			}
			got = append(got, strings.Join(parts, " "))
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%s:\n%s, want\n%s", c.matrix, strings.Join(got, "|"), c.want)
		}
	}
}

// Scalars keep their type, so that matrix.n && ... means what it says.
func TestMatrixScalarsAreTyped(t *testing.T) {
	w, err := Parse("w.yml", []byte("on: push\njobs: {a: {runs-on: x, strategy: {matrix: {v: ['0', 0, 'true', True, ~, 1.50, 0x10]}}, steps: [{run: a}]}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range w.jobs[0].matrix.root.(*object).members[0].value.(*array).items {
		got = append(got, fmt.Sprintf("%T %v", v, v))
	}
	want := []string{"string 0", "float64 0", "string true", "bool true", "<nil> <nil>", "float64 1.5", "float64 16"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Matrices come from outside in a plan job: too many shards must not start.
func TestAMatrixIsBounded(t *testing.T) {
	v, err := parseJSON(`{"a":[` + strings.TrimSuffix(strings.Repeat("1,", 257), ",") + `]}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := combine(v); err == nil || !strings.Contains(err.Error(), "more than 256") {
		t.Errorf("error %v", err)
	}
	for _, bad := range []string{`"x"`, `{}`, `{"a":1}`, `{"a":[]}`, `{"a":[1],"include":[1]}`, `{"a":[1],"exclude":[{"a":1}]}`, `{"include":[]}`} {
		v, err := parseJSON(bad)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := combine(v); err == nil {
			t.Errorf("%s: want an error", bad)
		}
	}
}
