package shard

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Validate says what is wrong with the position, or nil.
func (p Position) Validate() error {
	switch {
	case p.Total < 1 || p.Total > MaxTotal:
		return fmt.Errorf("shard total %d is not between 1 and %d", p.Total, MaxTotal)
	case p.Index < 0 || p.Index >= p.Total:
		return fmt.Errorf("shard index %d is not below the total of %d", p.Index, p.Total)
	}
	return nil
}

// Validate says what is wrong with the inventory, or nil. Items may be left
// out; where they are given they are sorted, unique and of that digest.
func (v Inventory) Validate() error {
	if err := checkDigest(v.Digest); err != nil {
		return err
	}
	if v.Items == nil {
		return nil
	}
	if len(v.Items) > MaxItems {
		return fmt.Errorf("inventory of %d items, at most %d", len(v.Items), MaxItems)
	}
	for i, item := range v.Items {
		if err := checkName("item", item.ID); err != nil {
			return err
		}
		if item.Bytes < 0 {
			return fmt.Errorf("item %q has a negative size", item.ID)
		}
		if i > 0 && v.Items[i-1].ID >= item.ID {
			return fmt.Errorf("items are not sorted and unique at %q", item.ID)
		}
	}
	if Digest(v.IDs()) != v.Digest {
		return errors.New("the inventory's digest is not that of its items")
	}
	return nil
}

// Validate says what is wrong with the request, or nil.
func (r PlanRequest) Validate() error {
	if r.API != API {
		return fmt.Errorf("api %d is not spoken here, only %d", r.API, API)
	}
	if r.Mode != ModeStatic && r.Mode != ModeLeased {
		return fmt.Errorf("unknown plan mode %q", r.Mode)
	}
	return errors.Join(
		checkLabels(r.Suite, r.Variant, r.Runner),
		r.Shard.Validate(),
		r.Inventory.Validate(),
	)
}

// Validate says what is wrong with the answer to a request, or nil. An answer
// that needs the items is fine only where they were not given.
func (a PlanAnswer) Validate(asked PlanRequest) error {
	if a.Need != "" {
		if a.Need != NeedItems || asked.Inventory.Items != nil {
			return fmt.Errorf("the plan needs %q", Cut(a.Need, MaxLabel))
		}
		return nil
	}
	if err := checkLabel("plan id", a.PlanID); err != nil {
		return err
	}
	if !a.Scope.Valid() {
		return fmt.Errorf("unknown scope %q", a.Scope)
	}
	if len(a.Warnings) > MaxWarnings {
		return fmt.Errorf("plan with %d warnings", len(a.Warnings))
	}
	if err := a.Shard.validate(asked.Shard); err != nil || !asked.All {
		return err
	}
	if len(a.Shards) != asked.Shard.Total {
		return fmt.Errorf("plan of %d shards, asked for %d", len(a.Shards), asked.Shard.Total)
	}
	for i, s := range a.Shards {
		if err := s.validate(Position{Index: i, Total: asked.Shard.Total}); err != nil {
			return err
		}
	}
	return nil
}

func (s PlannedShard) validate(at Position) error {
	if s.Index != at.Index || s.Total != at.Total {
		return fmt.Errorf("plan for shard %d of %d, asked for %d of %d", s.Index, s.Total, at.Index, at.Total)
	}
	if len(s.Items) > MaxItems {
		return fmt.Errorf("shard of %d items, at most %d", len(s.Items), MaxItems)
	}
	for _, item := range s.Items {
		if err := checkName("item", item.ID); err != nil {
			return err
		}
		if len(item.Tests) > MaxTests {
			return fmt.Errorf("item %q with %d tests, at most %d", Cut(item.ID, MaxLabel), len(item.Tests), MaxTests)
		}
		names := item.Tests
		if p := item.Part; p != nil {
			if err := checkPart(p.Index, p.Of); err != nil {
				return fmt.Errorf("item %q: %w", Cut(item.ID, MaxLabel), err)
			}
			if (len(p.Only) == 0) != (p.Index == p.Of-1) || len(p.Without) > 0 && len(p.Only) > 0 {
				return fmt.Errorf("item %q: its last part, and only that, has no tests of its own", Cut(item.ID, MaxLabel))
			}
			names = slices.Concat(names, p.Only, p.Without)
		}
		for _, name := range names {
			if err := checkName("test", name); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkPart(index, of int) error {
	if of < 1 || of > MaxTotal || index < 0 || index >= of {
		return fmt.Errorf("part %d of %d, at most %d", index, of, MaxTotal)
	}
	return nil
}

// Validate says what is wrong with one chunk of a report, or nil.
func (r Report) Validate() error {
	if r.API != API {
		return fmt.Errorf("api %d is not spoken here, only %d", r.API, API)
	}
	err := errors.Join(checkLabels(r.Suite, r.Variant, r.Runner), r.Shard.Validate(), r.checkFacts(), r.checkChunk())
	if err != nil {
		return err
	}
	for _, item := range r.Items {
		err := errors.Join(checkName("item", item.ID), checkStatus(item.Status), checkMS(item.MS))
		if item.Part != 0 || item.Parts != 0 {
			err = errors.Join(err, checkPart(item.Part, item.Parts))
		}
		if err != nil {
			return fmt.Errorf("item %q: %w", Cut(item.ID, MaxLabel), err)
		}
	}
	for _, id := range slices.Concat(r.NotRun, r.Extra) {
		if err := checkName("item", id); err != nil {
			return err
		}
	}
	for _, t := range r.Tests {
		if err := t.validate(); err != nil {
			return fmt.Errorf("test %q: %w", Cut(t.Name, MaxLabel), err)
		}
	}
	return nil
}

func (r Report) checkFacts() error {
	if r.Source != SourceServer && r.Source != SourceFallback {
		return fmt.Errorf("unknown source %q", r.Source)
	}
	if !r.Scope.Valid() {
		return fmt.Errorf("unknown scope %q", r.Scope)
	}
	if len(r.PlanID) > MaxLabel || !plain(r.PlanID) {
		return errors.New("plan id too long or with control characters")
	}
	if r.InventoryDigest != "" {
		if err := checkDigest(r.InventoryDigest); err != nil {
			return err
		}
	}
	switch r.Outcome {
	case "", OutcomeSuccess, OutcomeFailure, OutcomeCancelled, OutcomeSkipped:
	default:
		return fmt.Errorf("unknown outcome %q", r.Outcome)
	}
	for _, word := range []string{r.Tool.Name, r.Tool.Version, r.Tool.OS, r.Tool.Arch} {
		if len(word) > MaxLabel || !plain(word) {
			return errors.New("tool too long or with control characters")
		}
	}
	return errors.Join(checkMS(r.WallMS), checkMS(r.SetupMS))
}

func (r Report) checkChunk() error {
	switch {
	case r.Chunks < 1 || r.Chunks > MaxChunks:
		return fmt.Errorf("report of %d chunks, at most %d", r.Chunks, MaxChunks)
	case r.Chunk < 0 || r.Chunk >= r.Chunks:
		return fmt.Errorf("chunk %d is not below the number of chunks, %d", r.Chunk, r.Chunks)
	case r.Final != (r.Chunk == r.Chunks-1):
		return errors.New("the last chunk, and only that, is final")
	case len(r.Items)+len(r.NotRun)+len(r.Extra) > MaxItems:
		return fmt.Errorf("more than %d items", MaxItems)
	case len(r.Tests) > MaxTests:
		return fmt.Errorf("chunk of %d tests, at most %d", len(r.Tests), MaxTests)
	}
	return nil
}

func (t Test) validate() error {
	if len(t.Executions) > MaxExecutions {
		return fmt.Errorf("%d executions, at most %d", len(t.Executions), MaxExecutions)
	}
	err := errors.Join(checkLabel("key", t.Key), checkName("name", t.Name), checkMS(t.MS))
	for _, text := range []string{t.Class, t.File} {
		if text != "" {
			err = errors.Join(err, checkName("class or file", text))
		}
	}
	for _, e := range t.Executions {
		err = errors.Join(err, e.validate())
	}
	return err
}

func (e Execution) validate() error {
	switch e.Kind {
	case "", KindAssertion, KindPanic, KindTimeout, KindBuild, KindExit, KindLost:
	default:
		return fmt.Errorf("unknown kind %q", e.Kind)
	}
	if len(e.Message) > MaxMessage || !utf8.ValidString(e.Message) || strings.ContainsRune(e.Message, 0) {
		return fmt.Errorf("message over %d bytes, or not text", MaxMessage)
	}
	if e.Line < 0 {
		return fmt.Errorf("line %d", e.Line)
	}
	if e.File != "" {
		if err := checkName("file", e.File); err != nil {
			return err
		}
	}
	return errors.Join(checkStatus(e.Status), checkMS(e.MS))
}

func checkLabels(suite, variant, runner string) error {
	err := errors.Join(checkLabel("suite", suite), checkLabel("runner", runner))
	if variant != "" {
		err = errors.Join(err, checkLabel("variant", variant))
	}
	return err
}

func checkLabel(what, text string) error {
	if text == "" || len(text) > MaxLabel || !plain(text) {
		return fmt.Errorf("%s is empty, over %d bytes, or not plain text", what, MaxLabel)
	}
	return nil
}

func checkName(what, text string) error {
	if text == "" || len(text) > MaxName || !plain(text) {
		return fmt.Errorf("%s %q is empty, over %d bytes, or not plain text", what, Cut(text, MaxLabel), MaxName)
	}
	return nil
}

func checkDigest(digest string) error {
	hexed, ok := strings.CutPrefix(digest, "sha256:")
	if !ok || len(hexed) != 64 || strings.Trim(hexed, "0123456789abcdef") != "" {
		return fmt.Errorf("%q is not a digest", Cut(digest, MaxLabel))
	}
	return nil
}

func checkStatus(s Status) error {
	switch s {
	case Passed, Failed, Skipped, Errored:
		return nil
	}
	return fmt.Errorf("unknown status %q", Cut(string(s), MaxLabel))
}

// maxMS is a month: a longer test is a broken clock.
const maxMS = 31 * 24 * 3600 * 1000

func checkMS(ms int64) error {
	if ms < 0 || ms > maxMS {
		return fmt.Errorf("%d ms is no duration", ms)
	}
	return nil
}

// plain tells whether text is valid UTF-8 in one line without control characters.
func plain(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}
