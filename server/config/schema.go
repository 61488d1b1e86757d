package config

import (
	_ "embed"
	"slices"
)

//go:embed mainstay.schema.json
var schema []byte

// Schema is the JSON Schema of the file, for editors. It says what can be said of
// shapes: what a term means, which names clash and how long a time may be is the reader's.
func Schema() []byte { return slices.Clone(schema) }
