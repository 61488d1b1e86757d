package queue

import "strings"

// A pull request that changes the folder of a failing test is more likely what
// broke it. That raises its chance to be bad before anything is tested, and the
// same posterior goes on from there.

const (
	// touchOdds is how much likelier it is bad: a guess, and low enough that it
	// never takes the place of a red test.
	touchOdds = 5
	// MostFolders is of how many folders word is kept; who changes more touches everything.
	MostFolders = 40
)

// suspicion is the chance that an entry is bad, before the facts; 0: as everybody's.
func (t *step) suspicion(e *Entry) float64 {
	if len(e.Folders) == 0 {
		return 0
	}
	for _, r := range t.header.Reds {
		run := t.redRun(r.Run)
		if run == nil || !contains(r.Members, e.PR.Number) {
			continue
		}
		for _, f := range run.Ending.Tests {
			if f.standsIn(e.Folders) {
				p := t.header.Rates.chances().Fail
				odds := touchOdds * p / (1 - p)
				return odds / (1 + odds)
			}
		}
	}
	return 0
}

// standsIn reports whether a test stands in one of these folders: by its file, or
// by its package, which ends as the folder does or the folder as it.
func (f FailedTest) standsIn(folders []string) bool {
	of := f.Package
	if of != "" && !strings.Contains(of, "/") {
		of = strings.ReplaceAll(of, ".", "/") // a class, or a module
	}
	for _, folder := range folders {
		switch {
		case folder == "" || folder == ".":
		case f.File != "" && folderOf(f.File) == folder, of == folder, strings.HasSuffix(of, "/"+folder):
			return true
		case strings.Contains(of, "/") && strings.HasSuffix("/"+folder, "/"+folderOf(of)):
			return true
		}
	}
	return false
}

func folderOf(file string) string { return file[:max(0, strings.LastIndexByte(file, '/'))] }
