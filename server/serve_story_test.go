package main

import (
	"errors"
	"log/slog"
	"testing"
)

// A server that no longer hears anybody must not stay as if it did: it ends with
// an error, so that whoever watches over it starts another.
func TestADeafServerEnds(t *testing.T) {
	t.Parallel()
	for name, deafen := range map[string]func(*server){
		"the listener": func(srv *server) { srv.listen.Close() },
		"the engine":   func(srv *server) { srv.died <- errors.New("start the engine: no disk") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := foundWithoutServer(t, scene{})
			srv, err := start(t.Context(), w.settings(), slog.New(slog.DiscardHandler))
			w.must(err)

			deafen(srv)

			if err := srv.last(t.Context()); err == nil {
				t.Fatal("it ended as if it had been told to")
			}
		})
	}
}
