package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/mainstay-ci/mainstay/queue"
)

// Limits of one file. GitHub's own are label names of 50 characters and 256 jobs of a matrix.
const (
	maxQueues = 100
	maxChecks = 100
	maxSuites = 100
	maxShards = 256
	maxBatch  = 100
	maxAside  = 100
	maxLabel  = 50
	maxRanked = 50
	maxWorth  = 1000
	maxName   = 200
	maxDay    = 24 * time.Hour
	maxWeek   = 7 * maxDay
	maxReruns = 3
	maxTerm   = 90 * maxDay // of a quarantine
)

// ownCheck is the check we post: an attempt that waited for it would wait for ever.
const ownCheck = "Mainstay"

func (r *reader) read(src []byte) *Config {
	c := &Config{}
	root := r.tree(src)
	if root == nil {
		return c
	}
	version := false
	r.mapping(root, "", fields{
		"version": func(n ast.Node, key string) {
			version = true
			if i, ok := n.(*ast.IntegerNode); !ok || i.Value != uint64(1) {
				r.want(n, key, "1")
			}
		},
		"queues": func(n ast.Node, key string) { c.rules = r.queues(n, key) },
	})
	if _, ok := pairs(root); ok && !version {
		r.warn(position(root), "version", "missing: read as version 1")
	}
	return c
}

func (r *reader) queues(n ast.Node, key string) []rule {
	items, ok := r.list(n, key, "a list of queues", maxQueues)
	if !ok {
		return nil
	}
	var rules []rule
	lines := map[string]int{}
	for _, item := range items {
		one := r.queue(item)
		if line, double := lines[one.branch]; double {
			r.warn(position(item), "branch", fmt.Sprintf("the queue in line %d has the same branch and comes first: this one is never used", line))
		} else {
			lines[one.branch] = position(item).Line
		}
		rules = append(rules, one)
	}
	return rules
}

// queue reads one item. Its keys are named without their place: line and column say that.
func (r *reader) queue(n ast.Node) rule {
	one := rule{settings: queue.Defaults()}
	s := &one.settings
	var named []called
	var most ast.Node
	r.mapping(n, "", fields{
		"branch": func(n ast.Node, key string) { one.branch = r.branch(n, key) },
		"label": func(n ast.Node, key string) {
			if name, ok := r.name(n, key, maxLabel); ok {
				s.Label = name
				named = append(named, called{n, key, name})
			}
		},
		"checks": func(n ast.Node, key string) { s.Checks = r.checks(n, key) },
		"suites": func(n ast.Node, key string) { s.Suites = r.suites(n, key) },
		"batch": func(n ast.Node, key string) {
			r.mapping(n, key, fields{
				"size": func(n ast.Node, key string) { s.BatchSize, _ = r.number(n, key, "auto", 1, maxBatch) },
				"min":  func(n ast.Node, key string) { s.BatchMin, _ = r.number(n, key, "", 1, maxBatch) },
				"max": func(n ast.Node, key string) {
					s.BatchMax, _ = r.number(n, key, "", 1, maxBatch)
					most = n
				},
				"wait": func(n ast.Node, key string) { s.BatchWait, _ = r.duration(n, key, "", 0, maxDay) },
			})
		},
		"parallel":   func(n ast.Node, key string) { s.Parallel, _ = r.number(n, key, "", 1, maxAside) },
		"per_author": func(n ast.Node, key string) { s.PerAuthor, _ = r.number(n, key, "none", 1, maxAside) },
		"enter":      func(n ast.Node, key string) { r.enter(n, key, &s.Enter) },
		"labels":     func(n ast.Node, key string) { named = append(named, r.labels(n, key, &s.Labels)...) },
		"priority":   func(n ast.Node, key string) { r.priority(n, key, s) },
		"when":       func(n ast.Node, key string) { s.When = r.term(n, key, CompileWhen) },
		"timeouts": func(n ast.Node, key string) {
			r.mapping(n, key, fields{
				"start": func(n ast.Node, key string) { s.StartLimit, _ = r.duration(n, key, "", time.Second, maxDay) },
				"run":   func(n ast.Node, key string) { s.RunLimit, _ = r.duration(n, key, "auto", time.Second, maxWeek) },
			})
		},
		"flaky": func(n ast.Node, key string) {
			r.mapping(n, key, fields{
				"reruns": func(n ast.Node, key string) {
					if n, ok := r.number(n, key, "auto", 0, maxReruns); ok {
						s.Reruns = n
					}
					if word, ok := text(n); ok && word == "auto" {
						s.Reruns = queue.Defaults().Reruns
					}
				},
				"quarantine": func(n ast.Node, key string) { s.Quarantine, _ = r.duration(n, key, "off", 0, maxTerm) },
			})
		},
		"move_branches": func(n ast.Node, key string) { s.MoveBranches, _ = r.truth(n, key) },

		"guard": func(n ast.Node, key string) { s.Guard = r.onOff(n, key) },
		"merge": func(n ast.Node, key string) { s.Merge = r.merging(n, key) },

		"pause": nil, "deploys": nil, "notify": nil,
	})
	if most != nil && s.BatchMax > 0 && s.BatchMin > s.BatchMax {
		r.fail(position(most), "batch.max", fmt.Sprintf("want at least batch.min, which is %d, got %d", s.BatchMin, s.BatchMax))
	}
	r.distinct(named, *s)
	return one
}

func (r *reader) branch(n ast.Node, key string) string {
	name, ok := r.name(n, key, maxName)
	if ok && strings.ContainsAny(name, `[]\ ~^:`) {
		r.want(n, key, "a branch's name, or a pattern of names with *, ** and ?")
		return ""
	}
	if ok && strings.HasPrefix(name, "refs/") {
		r.want(n, key, "a branch's name without refs/heads/")
		return ""
	}
	return name
}

func (r *reader) checks(n ast.Node, key string) []queue.NamedCheck {
	items, ok := r.list(n, key, "a list of checks", maxChecks)
	if !ok {
		return nil
	}
	var checks []queue.NamedCheck
	seen := map[string]bool{}
	for _, item := range items {
		one, at := r.check(item, key)
		switch {
		case one.Name == "": // told already
		case one.Name == ownCheck:
			r.fail(position(at), key, fmt.Sprintf("%q is our own check, which waits for the others: leave it out", ownCheck))
		case seen[one.Name]:
			r.warn(position(at), key, fmt.Sprintf("%q stands here twice: the first one counts", short(one.Name, maxQuote)))
		default:
			checks = append(checks, one)
		}
		seen[one.Name] = true
	}
	return checks
}

// check reads a name, or {name, skipped: ok}; at is where its name stands.
func (r *reader) check(n ast.Node, key string) (c queue.NamedCheck, at ast.Node) {
	if _, ok := pairs(n); !ok {
		c.Name, _ = r.name(n, key, maxName)
		return c, n
	}
	at = n
	named := false
	r.mapping(n, key, fields{
		"name": func(n ast.Node, key string) {
			named, at = true, n
			c.Name, _ = r.name(n, key, maxName)
		},
		"skipped": func(n ast.Node, key string) {
			if s, ok := text(n); !ok || s != "ok" {
				r.want(n, key, "ok, or leave it out")
			}
			c.SkippedOK = true
		},
	})
	if !named {
		r.fail(position(n), join(key, "name"), "missing: say which check")
	}
	return c, at
}

func (r *reader) suites(n ast.Node, key string) map[string]int {
	values, ok := pairs(n)
	if !ok {
		r.want(n, key, "a mapping of suites to their number of shards, like {unit: 4}")
		return nil
	}
	if len(values) > maxSuites {
		r.fail(position(values[maxSuites]), key, fmt.Sprintf("want at most %d suites, got %d", maxSuites, len(values)))
		return nil
	}
	suites := make(map[string]int, len(values))
	for _, v := range values {
		name, ok := r.name(v.Key, key, maxName)
		if !ok {
			continue
		}
		if shards, ok := r.number(v.Value, join(key, short(name, maxQuote)), "auto", 1, maxShards); ok {
			suites[name] = shards
		}
	}
	return suites
}
