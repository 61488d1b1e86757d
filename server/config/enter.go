package config

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/mainstay-ci/mainstay/queue"
)

const (
	maxBots  = 50
	maxQueue = 10_000
	maxLogin = 60
)

// enter reads who and what may enter the line besides what writers ask for.
func (r *reader) enter(n ast.Node, key string, e *queue.Enter) {
	r.mapping(n, key, fields{
		"bots": func(n ast.Node, key string) { e.Bots = r.bots(n, key) },
		"forks": func(n ast.Node, key string) {
			forks, ok := r.truth(n, key)
			e.NoForks = ok && !forks
		},
		"most":         func(n ast.Node, key string) { e.Most, _ = r.number(n, key, "none", 1, maxQueue) },
		"most_per_bot": func(n ast.Node, key string) { e.MostBot, _ = r.number(n, key, "none", 1, maxQueue) },
	})
}

func (r *reader) bots(n ast.Node, key string) []queue.Bot {
	items, ok := r.list(n, key, "a list of bots, like [renovate]", maxBots)
	if !ok {
		return nil
	}
	var bots []queue.Bot
	seen := map[string]bool{}
	for _, item := range items {
		b := r.bot(item, key)
		login := strings.ToLower(b.Login)
		switch {
		case login == "": // told already
		case seen[login]:
			r.warn(position(item), key, fmt.Sprintf("%q stands here twice: the first one counts", short(b.Login, maxQuote)))
		default:
			bots = append(bots, b)
		}
		seen[login] = true
	}
	return bots
}

// bot reads a login with or without [bot], or {name, id}.
func (r *reader) bot(n ast.Node, key string) (b queue.Bot) {
	at := n
	name := func(n ast.Node, key string) {
		at = n
		b.Login, _ = r.name(n, key, maxLogin)
	}
	if _, ok := pairs(n); ok {
		r.mapping(n, key, fields{
			"name": name,
			"id": func(n ast.Node, key string) {
				id, _ := r.number(n, key, "", 1, 1<<40)
				b.ID = int64(id)
			},
		})
	} else {
		name(n, key)
	}
	b.Login = strings.TrimSuffix(b.Login, "[bot]")
	if _, named := pairs(n); named && at == n {
		r.fail(position(n), join(key, "name"), "missing: say which bot")
	}
	if b.Login != "" && strings.Trim(strings.ToLower(b.Login), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		r.want(at, key, "a bot's login, like renovate or renovate[bot]")
		return queue.Bot{}
	}
	return b
}
