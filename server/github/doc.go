// Package github speaks with GitHub: App tokens, webhooks in, facts out, and
// checks, comments and labels made to look as told. It is the only importer of
// go-github and ghinstallation.
//
// It decides nothing: what a fact means is the queue's matter. It keeps no state
// that matters: tokens, permissions for a few seconds and comment ids are only
// remembered to save calls. What GitHub answers is read by lenient types of our
// own, because a date in an odd format or a new kind of rule must not make a
// whole answer unreadable.
//
// It may import the queue, the standard library and those two modules.
package github
