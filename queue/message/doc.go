// Package message words the commits that land where a pull request becomes one
// commit: by a template, with everybody who wrote it and what the commits' own
// trailers say. It also finds the issues that a text closes.
//
// Its input is hostile: titles, descriptions and commits of strangers. What it
// gives is plain text without control characters, and no template is ever read
// out of it. It knows no git and no GitHub, and imports the standard library only.
package message
