package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxDepth is far more than any file of ours nests; the parser's cost grows with its square.
const maxDepth = 20

// maxLine bounds a line in bytes: the parser takes seconds over a long one made to be slow.
const maxLine = 2000

// maxQuote is how much of a value stands in a message.
const maxQuote = 60

// tree gives the file's one document; nil when it is empty or wrong.
func (r *reader) tree(src []byte) ast.Node {
	start := &token.Position{Line: 1, Column: 1}
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	switch {
	case len(src) > MaxSize:
		r.fail(start, "", fmt.Sprintf("the file has %d bytes, want at most %d", len(src), MaxSize))
		return nil
	case !utf8.Valid(src) || bytes.IndexByte(src, 0) >= 0:
		r.fail(start, "", "the file is not text in UTF-8")
		return nil
	}
	if line := longLine(src); line > 0 {
		r.fail(&token.Position{Line: line, Column: maxLine + 1}, "", fmt.Sprintf("the line has more than %d bytes: break it", maxLine))
		return nil
	}
	file, err := parse(string(src))
	if err != nil {
		r.fail(place(err, start), "", "not YAML as we read it: "+reason(err))
		return nil
	}
	var docs []ast.Node
	for _, d := range file.Docs {
		if _, comment := d.Body.(*ast.CommentGroupNode); d.Body != nil && !comment {
			docs = append(docs, d.Body)
		}
	}
	if len(docs) == 0 {
		return nil
	}
	if len(docs) > 1 {
		r.fail(position(docs[1]), "", "want one document, got another after ---")
		return nil
	}
	return docs[0]
}

// longLine is the number of the first line that is too long, or 0.
func longLine(src []byte) int {
	number := 0
	for line := range bytes.Lines(src) {
		number++
		if len(line) > maxLine {
			return number
		}
	}
	return 0
}

// parse turns a panic of the parser into an error: a strange file must not stop a server.
func parse(src string) (file *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			file, err = nil, fmt.Errorf("the parser gave up (%v)", p)
		}
	}()
	tokens := lexer.Tokenize(src)
	if err := checkTokens(tokens); err != nil {
		return nil, err
	}
	return parser.Parse(tokens, 0)
}

// checkTokens refuses what would be costly to parse, and what nobody needs here.
func checkTokens(tokens token.Tokens) error {
	flow, line, dashes := 0, 0, 0
	for _, tk := range tokens {
		if tk.Position.Line != line {
			line, dashes = tk.Position.Line, 0
		}
		switch tk.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType:
			dashes++
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			return &yaml.SyntaxError{Token: tk, Message: "anchors, aliases and merges are not read here: write it out"}
		case token.TagType, token.DirectiveType:
			return &yaml.SyntaxError{Token: tk, Message: "tags and directives are not read here: leave them out"}
		}
		if flow > maxDepth || dashes > maxDepth || tk.Position.IndentNum > 8*maxDepth {
			return &yaml.SyntaxError{Token: tk, Message: "nested too deep"}
		}
	}
	return nil
}

func place(err error, start *token.Position) *token.Position {
	var fault yaml.Error
	if errors.As(err, &fault) && fault.GetToken() != nil && fault.GetToken().Position != nil {
		return fault.GetToken().Position
	}
	return start
}

// reason is the bare message: the parser's own text paints the source below it.
func reason(err error) string {
	message := err.Error()
	var fault yaml.Error
	if errors.As(err, &fault) {
		message = fault.GetMessage()
	}
	return short(strings.Map(visible, message), 200)
}

// visible keeps a message on one line, whatever of the file is in it.
func visible(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}

// position is where a node begins. A block mapping says where its first colon is: take its first key.
func position(n ast.Node) *token.Position {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return position(n.Values[0])
		}
	case *ast.MappingValueNode:
		if n.Key != nil {
			return position(n.Key)
		}
	}
	if tk := n.GetToken(); tk != nil && tk.Position != nil {
		return tk.Position
	}
	return &token.Position{Line: 1, Column: 1}
}

// pairs gives a mapping's values; false if it is none.
func pairs(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// text gives a string's value; false if it is none.
func text(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	}
	return "", false
}

// got says in a few words what stands where something else was wanted.
func got(n ast.Node) string {
	switch n := n.(type) {
	case nil, *ast.NullNode:
		return "nothing"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode, *ast.LiteralNode:
		value, _ := text(n)
		return fmt.Sprintf("%q", short(value, maxQuote))
	default:
		return short(strings.TrimSpace(n.GetToken().Value), maxQuote)
	}
}

// short keeps a stranger's text from filling a message.
func short(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}
