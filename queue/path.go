package queue

// An attempt stands on the base or on another attempt whose green was foreseen.
// Its path is the attempts from the base up to it that have not landed: its
// commit holds all of theirs, and when it is green it lands with all of them.

// path is the attempts from the base up to this one, in order.
func (t *step) path(a *Attempt) []*Attempt {
	var path []*Attempt
	for x := a; x != nil && x.Phase != AttemptLanded; x = t.attempt(x.Parent) {
		path = append([]*Attempt{x}, path...)
		if x.Parent == 0 {
			break
		}
	}
	return path
}

// root is the commit of the base that an attempt's path stands on.
func (t *step) root(a *Attempt) string { return t.path(a)[0].Old }

// early reports whether the attempt stands on one that has not landed yet.
func (t *step) early(a *Attempt) bool {
	parent := t.attempt(a.Parent)
	return parent != nil && parent.Phase != AttemptLanded
}

// allOf is every member on an attempt's path, in order.
func (t *step) allOf(a *Attempt) []int {
	var prs []int
	for _, x := range t.path(a) {
		prs = append(prs, x.numbers()...)
	}
	return prs
}

// above reports whether an attempt stands on another, near or far.
func (t *step) above(a, below *Attempt) bool {
	for _, x := range t.path(a) {
		if x.Parent == below.ID {
			return true
		}
	}
	return false
}

// landingBelow reports whether what the attempt stands on is on its way into the base.
func (t *step) landingBelow(a *Attempt) bool {
	for _, x := range t.path(a) {
		if x.live() && !x.IntentAt.IsZero() {
			return true
		}
	}
	return false
}

// voidAbove abandons what stands on an attempt that lands no more.
func (t *step) voidAbove(below *Attempt, cause string) {
	for _, a := range t.attempts {
		if a.cancellable() && a.Phase != AttemptAbandoning && a != below && t.above(a, below) {
			t.abandon(a, AimRebuild, cause)
		}
	}
}
