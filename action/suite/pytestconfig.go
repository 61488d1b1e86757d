package suite

import (
	"os"
	"path/filepath"
	"strings"
)

// pytestConfig reads, of pytest's configuration, what its files are called and
// which folders they are in. Like pytest it takes the first file that has a
// section for it; one that it cannot make out says nothing.
func (s Suite) pytestConfig() (names, folders []string) {
	for _, source := range []struct{ file, section string }{
		{"pytest.ini", "[pytest]"}, {".pytest.ini", "[pytest]"}, {"pyproject.toml", "[tool.pytest.ini_options]"},
		{"tox.ini", "[pytest]"}, {"setup.cfg", "[tool:pytest]"},
	} {
		text, err := os.ReadFile(filepath.Join(s.Dir, source.file))
		if err != nil {
			continue
		}
		options, ok := section(string(text), source.section)
		if !ok {
			continue
		}
		names, folders = listed(options["python_files"]), s.existing(listed(options["testpaths"]))
		break
	}
	if len(names) == 0 {
		names = []string{"test_*.py", "*_test.py"}
	}
	if len(folders) == 0 {
		folders = []string{"."}
	}
	return names, folders
}

// existing leaves out folders that are not there, as pytest does.
func (s Suite) existing(folders []string) []string {
	var found []string
	for _, folder := range folders {
		if _, err := os.Stat(filepath.Join(s.Dir, folder)); err == nil && filepath.IsLocal(folder) {
			found = append(found, folder)
		}
	}
	return found
}

// section cuts one section out of an INI or TOML file: each option with all of
// its lines.
func section(text, name string) (options map[string]string, ok bool) {
	options = map[string]string{}
	key := ""
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		indented := line != "" && (line[0] == ' ' || line[0] == '\t')
		switch found := iniOption().FindStringSubmatch(trimmed); {
		case strings.HasPrefix(line, "[") && strings.HasSuffix(trimmed, "]"):
			if ok {
				return options, true
			}
			ok = trimmed == name
		case !ok || trimmed == "" || trimmed[0] == '#' || trimmed[0] == ';':
		case found != nil && !indented:
			key = found[1]
			options[key] = found[2]
		case key != "":
			options[key] += "\n" + trimmed
		}
	}
	return options, ok
}

var (
	iniOption = expression(`^([a-z_]+)\s*[=:]\s*(.*)$`)
	iniWord   = expression(`[^\s,"'\[\]]+`)
)

// listed reads a list: blanks between in INI, an array of strings in TOML.
func listed(value string) []string { return iniWord().FindAllString(value, -1) }
