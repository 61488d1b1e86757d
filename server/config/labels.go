package config

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/mainstay-ci/mainstay/queue"
)

// called is a label's name as the file has it.
type called struct {
	at        ast.Node
	key, name string
}

// labels reads the names of the labels that say how a wish is treated.
func (r *reader) labels(n ast.Node, key string, labels *queue.Labels) []called {
	var named []called
	into := func(label *string) field {
		return func(n ast.Node, key string) {
			if name, ok := r.name(n, key, maxLabel); ok {
				*label = name
				named = append(named, called{n, key, name})
			}
		}
	}
	r.mapping(n, key, fields{"hotfix": into(&labels.Hotfix), "hold": into(&labels.Hold), "solo": into(&labels.Solo)})
	return named
}

// distinct refuses one name for two meanings; GitHub knows no case in labels.
func (r *reader) distinct(named []called, s queue.Settings) {
	meanings := []called{
		{key: "label", name: s.Label}, {key: "labels.hotfix", name: s.Labels.Hotfix},
		{key: "labels.hold", name: s.Labels.Hold}, {key: "labels.solo", name: s.Labels.Solo},
	}
	for _, c := range named {
		for _, m := range meanings {
			if m.key != c.key && strings.EqualFold(m.name, c.name) {
				r.fail(position(c.at), c.key, fmt.Sprintf("%q is %s, too: give them different names", short(c.name, maxQuote), m.key))
				return
			}
		}
	}
}

// priority reads what labels are worth, in hours of waiting.
func (r *reader) priority(n ast.Node, key string) map[string]int {
	if _, ok := text(n); ok {
		r.warn(position(n), key, "conditions are not built yet: ignored (write labels and numbers, like {security: 10})")
		return nil
	}
	values, ok := pairs(n)
	if !ok {
		r.want(n, key, "a mapping of labels to numbers, like {security: 10}")
		return nil
	}
	if len(values) > maxRanked {
		r.fail(position(values[maxRanked]), key, fmt.Sprintf("want at most %d labels, got %d", maxRanked, len(values)))
		return nil
	}
	worth := make(map[string]int, len(values))
	for _, v := range values {
		name, ok := r.name(v.Key, key, maxLabel)
		if !ok {
			continue
		}
		if hours, ok := r.number(v.Value, join(key, short(name, maxQuote)), "", -maxWorth, maxWorth); ok {
			worth[name] = hours
		}
	}
	return worth
}
