// Package mainstay carries the Action's own files, so that the demo can use the
// Action as a workflow does. It holds nothing else and imports nothing of ours.
package mainstay

import "embed"

// ActionFiles is action.yml and the scripts it runs.
//
//go:embed action.yml action/scripts
var ActionFiles embed.FS
