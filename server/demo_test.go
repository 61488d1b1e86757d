package main

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/mainstay-ci/mainstay/sandbox"
	"github.com/mainstay-ci/mainstay/sandbox/truth"
	"github.com/mainstay-ci/mainstay/server/demo"
)

// The README's first command: the demo ends with every promise held.
func TestTheDemoKeepsItsPromises(t *testing.T) {
	actionOfThisTree(t)
	var out bytes.Buffer
	watch := truth.Watch(t)
	err := demo.Show(t.Context(), demo.Options{Start: startForDemo, Out: &out, Binaries: built.dir, Log: slog.New(slog.DiscardHandler), Parallel: 1,
		Watch: func(o *sandbox.Options) { o.Around, o.Told = watch.Around, watch.Told }})
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
}
