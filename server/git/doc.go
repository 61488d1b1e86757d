// Package git keeps a bare, blobless clone of one repository and does in it
// what landing needs: fetch commits, rebase a batch of pull requests one
// behind the other, push a ticket, move heads, and land with one atomic push
// of exact leases.
//
// It is not a git implementation, it knows no queue and no GitHub API, and it
// never has a work tree: nothing of a pull request is ever checked out. All
// git runs as child processes in a hardened environment; those used for every
// commit stay resident. Ref names and commit ids are checked before they come
// near a command line, and the token travels by environment only.
//
// It may import the standard library only.
package git
