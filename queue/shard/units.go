package shard

import (
	"encoding/base64"
	"math/bits"
)

// Units is a set of a plan's units by number: what a shard ran. A unit is an
// item, or a part of one, in the plan's own order.
type Units []byte

// NewUnits is the empty set of n units.
func NewUnits(n int) Units { return make(Units, (n+7)/8) }

// Add puts a unit in; one that is out of range is ignored.
func (u Units) Add(i int) {
	if i >= 0 && i/8 < len(u) {
		u[i/8] |= 1 << (i % 8)
	}
}

// Has tells whether a unit is in.
func (u Units) Has(i int) bool { return i >= 0 && i/8 < len(u) && u[i/8]&(1<<(i%8)) != 0 }

// Join adds another set of the same plan.
func (u Units) Join(other Units) {
	for i := range min(len(u), len(other)) {
		u[i] |= other[i]
	}
}

// Count is how many units are in.
func (u Units) Count() int {
	n := 0
	for _, b := range u {
		n += bits.OnesCount8(b)
	}
	return n
}

// String is the set as text, for JSON.
func (u Units) String() string { return base64.RawStdEncoding.EncodeToString(u) }

// ParseUnits reads what String wrote for n units; nothing else is accepted.
func ParseUnits(text string, n int) (Units, bool) {
	u, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || len(u) != (n+7)/8 || n%8 != 0 && len(u) > 0 && u[len(u)-1]>>(n%8) != 0 {
		return nil, false
	}
	return u, true
}
