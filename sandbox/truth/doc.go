// Package truth holds what others say of GitHub against what tests see: GitHub's
// own OpenAPI description of its REST API, Octokit's JSON Schemas of webhooks and
// its recorded payloads, each kept here as packed data under its licence (data/).
//
//	watch := truth.Watch(t)
//	forge, err := sandbox.Start(sandbox.Options{Dir: dir, Around: watch.Around, Told: watch.Told})
//
// From then on each request that anybody sends the sandbox, each answer it gives
// and each webhook it words is looked up there, and a difference fails the test.
// Where the sandbox and the description differ, the sandbox is wrong.
//
// It is for tests only and imports nothing of the product or the sandbox.
package truth
