// Package sandbox is GitHub in a box: one HTTP server on a loopback address
// over real bare git repositories. It serves git's smart protocol, the part of
// the REST API a merge queue lives on, App authentication, signed webhooks, an
// OIDC issuer, and it runs the repositories' own workflows.
//
// It is not a mock: objects are stored and refs are moved by git, push rules
// are enforced on the commit that is pushed, and what a person sees follows
// from the state. It is not GitHub either: docs/sandbox.md says what is left out.
//
// The state changes first and webhooks follow from it, so that a test may
// lose, double, delay and shuffle them (see Faults). All state lives in memory
// beside the repositories; a Forge starts empty and adopts what it is given.
//
// It may import the standard library, a JWT library and sandbox/runner, and
// nothing of the product.
package sandbox
