package suite

import "fmt"

// Format is how results are written.
type Format string

// The formats. FormatAuto looks into each file.
const (
	FormatAuto   Format = "auto"
	FormatJUnit  Format = "junit"
	FormatGoJSON Format = "go-json"
	FormatTAP    Format = "tap"
)

// ParseFormat reads a format's name; "" is auto. The error is an ErrUsage.
func ParseFormat(name string) (Format, error) {
	switch f := Format(name); f {
	case "":
		return FormatAuto, nil
	case FormatAuto, FormatJUnit, FormatGoJSON, FormatTAP:
		return f, nil
	}
	return "", fmt.Errorf("%w: unknown format %q (there are auto, junit, go-json and tap)", ErrUsage, name)
}

// ReadResults reads the results of one run of the items by somebody else; all
// files together are one shard's. The error says which file is missing, empty,
// not understood or cut off, and the run then proves nothing; the results still
// hold what could be made out, so that people see it.
func (s Suite) ReadResults(files []string, format Format, items []string, code int) (Results, error) {
	return s.Read(files, items, code)
}
