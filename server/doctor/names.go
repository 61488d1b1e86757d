package doctor

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/rhysd/actionlint"
)

// mostNames bounds a matrix, as GitHub does.
const mostNames = 256

// checkNames are the names of a job's checks. Where a part is only known when it
// runs, a star stands for it: see fits.
func checkNames(j *actionlint.Job, called func(uses string) []string) []string {
	base, named := j.ID.Value, false
	if j.Name != nil && j.Name.Value != "" {
		base, named = j.Name.Value, true
	}
	names := []string{}
	for _, c := range combinations(j.Strategy) {
		name := fill(base, c)
		if !named && len(c.order) > 0 {
			name += " (" + strings.Join(c.shown(), ", ") + ")"
		}
		names = append(names, name)
	}
	if j.WorkflowCall == nil {
		return names
	}
	var all []string
	for _, name := range names {
		for _, inner := range called(j.WorkflowCall.Uses.Value) {
			all = append(all, name+" / "+inner)
		}
	}
	return all
}

// combination is one cell of a matrix.
type combination struct {
	values map[string]string
	order  []string
}

func (c combination) shown() []string {
	var all []string
	for _, key := range c.order {
		all = append(all, c.values[key])
	}
	return all
}

// combinations multiplies the rows that are written out. With exclude or include
// there may be others: they are added as one that is not known.
func combinations(s *actionlint.Strategy) []combination {
	if s == nil || s.Matrix == nil {
		return []combination{{}}
	}
	unknown := combination{values: map[string]string{}, order: []string{"*"}}
	unknown.values["*"] = star
	m := s.Matrix
	if m.Expression != nil {
		return []combination{unknown}
	}
	rows := make([]*actionlint.MatrixRow, 0, len(m.Rows))
	for _, row := range m.Rows {
		if row.Expression != nil {
			return []combination{unknown}
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b *actionlint.MatrixRow) int {
		return cmp.Or(cmp.Compare(a.Name.Pos.Line, b.Name.Pos.Line), cmp.Compare(a.Name.Pos.Col, b.Name.Pos.Col))
	})
	all := []combination{{values: map[string]string{}}}
	if len(rows) == 0 {
		all = nil
	}
	for _, row := range rows {
		var next []combination
		for _, c := range all {
			for _, v := range row.Values {
				next = append(next, c.with(strings.ToLower(row.Name.Value), v))
			}
		}
		if all = next; len(all) > mostNames {
			return []combination{unknown}
		}
	}
	return append(all, included(m, unknown)...)
}

// included are the combinations that include adds, each taken for a new one.
func included(m *actionlint.Matrix, unknown combination) []combination {
	if m.Include == nil {
		return nil
	}
	if m.Include.ContainsExpression() {
		return []combination{unknown}
	}
	var all []combination
	for _, one := range m.Include.Combinations {
		assigns := make([]*actionlint.MatrixAssign, 0, len(one.Assigns))
		for _, a := range one.Assigns {
			assigns = append(assigns, a)
		}
		slices.SortFunc(assigns, func(a, b *actionlint.MatrixAssign) int { return comparePos(a.Key.Pos, b.Key.Pos) })
		c := combination{values: map[string]string{}}
		for _, a := range assigns {
			c = c.with(strings.ToLower(a.Key.Value), a.Value)
		}
		all = append(all, c)
	}
	return all
}

func comparePos(a, b *actionlint.Pos) int {
	return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
}

func (c combination) with(key string, v actionlint.RawYAMLValue) combination {
	next := combination{values: map[string]string{}, order: append(slices.Clone(c.order), key)}
	for k, value := range c.values {
		next.values[k] = value
	}
	next.values[key] = star
	if s, ok := v.(*actionlint.RawYAMLString); ok && !actionlint.ContainsExpression(s.Value) {
		next.values[key] = s.Value
	}
	return next
}

// star stands for what is only known at run time. No name has this character.
const star = "\x00"

var expression = regexp.MustCompile(`\$\{\{\s*(.*?)\s*\}\}`)

// fill puts a combination's values into a name; any other expression is a star.
func fill(name string, c combination) string {
	return expression.ReplaceAllStringFunc(name, func(text string) string {
		inner := expression.FindStringSubmatch(text)[1]
		if key, ok := strings.CutPrefix(strings.ToLower(inner), "matrix."); ok && c.values != nil {
			if value, has := c.values[key]; has {
				return value
			}
		}
		return star
	})
}

// fits says whether a check of that name may come from a job's name.
func fits(pattern, name string) bool {
	parts := strings.Split(pattern, star)
	if len(parts) == 1 {
		return pattern == name
	}
	rest, ok := strings.CutPrefix(name, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}
