// Command mutants shows that the laws are held by more than luck: each mutant is
// the rules with one guard dropped, and the check named beside it must catch it.
//
// It copies the module aside, changes one text at a time and runs that check; it
// never touches the working copy. It imports nothing of ours. Run it by `make mutants`.
package main
