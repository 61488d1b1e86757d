package suite

import (
	"regexp"
	"slices"
	"strings"
)

// pattern is what go test's -run needs for Only: the tests' top levels, each
// once; "" runs everything. A name that is no Go test's stands for more than a
// test, so that everything runs.
func (s Suite) pattern() string {
	var names []string
	for _, test := range s.Only {
		top, _, _ := strings.Cut(test, "/")
		if !goTest.MatchString(top) {
			return ""
		}
		names = append(names, top)
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return "^(" + strings.Join(slices.Compact(names), "|") + ")$"
}

var goTest = regexp.MustCompile(`^(Test|Example|Fuzz)[\pL\pN_]*$`)
