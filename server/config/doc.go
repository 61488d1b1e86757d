// Package config reads .github/mainstay.yml into the settings of each queue,
// and points at the line and column of whatever is wrong with it.
//
// It keeps nothing: which file is read, and that a wrong one leaves the last
// good one in force, is for others. It may import queue and the YAML parser,
// and no sibling.
package config
