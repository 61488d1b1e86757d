// Package engine is the shell around queue.Step. For each queue it takes the
// unread events, calls Step, and commits state, consumed events and effects in
// one transaction; a dispatcher performs the effects and brings their outcomes
// back as events. Kill it anywhere: it continues from the last commit.
//
// It is not the place for a decision, and it knows no GitHub, no git and no SQL:
// it declares the small interfaces it needs. It imports queue and the standard
// library only.
package engine
