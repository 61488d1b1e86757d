package github

import (
	"fmt"
	"log/slog"
)

// Secret is a token, key or webhook secret. However it is printed, logged or
// marshalled, it shows as a mask; string(s) is the only way to its content.
type Secret string

const mask = "[secret]"

// Format prints the mask for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(mask)) }

// LogValue logs the mask.
func (Secret) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText gives the mask; it never fails.
func (Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }

// Format prints options without their key and secrets, for every verb.
func (o Options) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "{App %d at %s, git at %s, key %s, %d webhook secrets}", o.AppID, o.APIURL, o.GitURL, mask, len(o.Secrets))
}

// LogValue logs what Format prints.
func (o Options) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(o)) }

// Format prints which App it is, for every verb: fmt would not mask the fields inside.
func (a *App) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "{App %d at %s}", a.id, a.apiURL) }

// LogValue logs what Format prints.
func (a *App) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(a)) }
