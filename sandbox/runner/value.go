package runner

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Values of expressions are nil, bool, float64, string, *array and *object.
// Arrays and objects are pointers because two of them are equal only when they
// are the same one, as on GitHub.

// array is a list; filtered marks the result of `.*`, over which a following
// property or index reaches into every element.
type array struct {
	items    []any
	filtered bool
}

// object keeps its members in order and finds them whatever their case.
type object struct {
	members []member
}

type member struct {
	name  string
	value any
}

// get finds a member, by its exact name first; nil when there is none.
func (o *object) get(name string) (any, bool) {
	found := -1
	for i := range o.members {
		if o.members[i].name == name {
			return o.members[i].value, true
		}
		if found < 0 && strings.EqualFold(o.members[i].name, name) {
			found = i
		}
	}
	if found < 0 {
		return nil, false
	}
	return o.members[found].value, true
}

// set replaces the member of that name or appends it.
func (o *object) set(name string, value any) {
	for i := range o.members {
		if strings.EqualFold(o.members[i].name, name) {
			o.members[i].value = value
			return
		}
	}
	o.members = append(o.members, member{name, value})
}

func (o *object) clone() *object {
	return &object{members: append([]member(nil), o.members...)}
}

func truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case float64:
		return v != 0 && !math.IsNaN(v)
	case string:
		return v != ""
	}
	return true
}

func primitive(v any) bool {
	switch v.(type) {
	case *array, *object:
		return false
	}
	return true
}

func text(v any) string {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return numberText(v)
	case string:
		return v
	case *array:
		return "Array"
	case *object:
		return "Object"
	}
	return ""
}

func numberText(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		return "0" // a negative zero has no sign
	}
	return strconv.FormatFloat(f, 'G', 15, 64)
}

func number(v any) float64 {
	switch v := v.(type) {
	case nil:
		return 0
	case bool:
		if v {
			return 1
		}
		return 0
	case float64:
		return v
	case string:
		return parseNumber(v)
	}
	return math.NaN()
}

// parseNumber reads what GitHub reads: decimal with exponent, 0x, 0o, Infinity.
func parseNumber(s string) float64 {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return 0
	case s == "Infinity":
		return math.Inf(1)
	case s == "-Infinity":
		return math.Inf(-1)
	case strings.HasPrefix(s, "0x"), strings.HasPrefix(s, "0o"):
		base := 16
		if s[1] == 'o' {
			base = 8
		}
		n, err := strconv.ParseUint(s[2:], base, 32)
		if err != nil {
			return math.NaN()
		}
		return float64(int32(n))
	case strings.Trim(s, "+-0123456789.eE") != "":
		return math.NaN() // Go's own spellings: 1_000, 0b1, inf, 0x1p4
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return math.NaN()
	}
	return f
}

// coerce brings two values to one kind the way GitHub's operators do.
func coerce(a, b any) (any, any) {
	_, aNumber := a.(float64)
	_, bNumber := b.(float64)
	_, aString := a.(string)
	_, bString := b.(string)
	_, aBool := a.(bool)
	_, bBool := b.(bool)
	switch {
	case aBool && bBool, a == nil && b == nil:
		return a, b
	case aNumber && bString:
		return a, number(b)
	case aString && bNumber:
		return number(a), b
	case aBool, a == nil:
		return coerce(number(a), b)
	case bBool, b == nil:
		return coerce(a, number(b))
	}
	return a, b
}

func equal(a, b any) bool {
	a, b = coerce(a, b)
	if s, ok := a.(string); ok {
		t, ok := b.(string)
		return ok && strings.EqualFold(s, t)
	}
	return a == b // NaN is not itself; arrays and objects compare by identity
}

func greater(a, b any) bool {
	a, b = coerce(a, b)
	switch a := a.(type) {
	case float64:
		f, ok := b.(float64)
		return ok && a > f
	case string:
		s, ok := b.(string)
		return ok && strings.ToUpper(a) > strings.ToUpper(s)
	case bool:
		t, ok := b.(bool)
		return ok && a && !t
	}
	return false
}
