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
