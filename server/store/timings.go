package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// When a duration of an item that is well known is worth a write: once a day, or
// when it is far off. Eighty landings a day of twenty thousand items would be a
// million writes otherwise, which say nothing new.
const (
	sampleEvery = 24 * time.Hour
	farOff      = 2   // times the median, or a part of it
	farOffMS    = 500 // and by so much
	// timingStep bounds one transaction, so that no write waits long behind it.
	timingStep = 500
	// timingsKept is how long an item is remembered that nobody heard of.
	timingsKept = 90 * 24 * time.Hour
)

// knownItem is an item as it stands in the table.
type knownItem struct {
	shard.Timing
	at int64
}

// worth tells whether a duration would change what is known.
func (k knownItem) worth(ms int64, at time.Time) bool {
	switch {
	case k.N < shard.MaxKept:
		return true
	case stamp(at)-k.at >= int64(sampleEvery):
		return true
	}
	longer, shorter := max(ms, k.MS), min(ms, k.MS)
	return longer > farOff*shorter && longer-shorter > farOffMS
}

// KeepTimings keeps how long what passed took in a run that may be learnt from: items,
// and by item the tests inside, where all of an item's tests are known. An item
// that is well known is written once a day or when its time is far off. Tests of
// an item that is too short to be cut are not kept. The same moment counts once.
func (s *Store) KeepTimings(ctx context.Context, repository int64, suite, variant string, at time.Time, items []shard.Sample, tests map[string][]shard.Sample) error {
	of := timingsOf{repository, suite, variant}
	there, err := s.knownItems(ctx, of)
	if err != nil {
		return fmt.Errorf("keep timings of %s: %w", suite, err)
	}
	var news []shard.Sample
	for _, item := range items {
		i, found := slices.BinarySearchFunc(there, item.Item, func(k knownItem, id string) int { return cmp.Compare(k.Item, id) })
		if item.Item != "" && (!found || there[i].worth(item.MS, at)) {
			news = append(news, item)
		}
	}
	for step := range slices.Chunk(news, timingStep) {
		err := s.writer.write(ctx, func(t *tx) error {
			for _, item := range step {
				if err := t.keepTiming(of, at, item, tests[item.Item]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("keep timings of %s: %w", suite, err)
		}
	}
	return nil
}

type timingsOf struct {
	repository     int64
	suite, variant string
}

// keepTiming adds one sample to what the row has by now.
func (t *tx) keepTiming(of timingsOf, at time.Time, item shard.Sample, tests []shard.Sample) error {
	var text []byte
	err := t.row(sqlSamples, of.repository, of.suite, of.variant, item.Item).Scan(&text)
	var kept []shard.Kept
	if err == nil {
		err = json.Unmarshal(text, &kept)
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	kept = shard.Remember(kept, shard.Kept{MS: item.MS, At: stamp(at)})
	if text, err = json.Marshal(kept); err != nil {
		return err
	}
	ms := shard.Median(kept)
	_, err = t.exec(sqlPutTiming, of.repository, of.suite, of.variant, item.Item, ms, len(kept), kept[len(kept)-1].At, text)
	if err != nil || ms < shard.MinCut || len(tests) < 2 {
		return err
	}
	var before []shard.Sample
	err = t.row(sqlTestTimings, of.repository, of.suite, of.variant, item.Item).Scan(&text)
	if err == nil {
		err = json.Unmarshal(text, &before)
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if text, err = json.Marshal(smooth(before, tests)); err != nil {
		return err
	}
	_, err = t.exec(sqlPutTestTimings, of.repository, of.suite, of.variant, item.Item, stamp(at), text)
	return err
}

// smooth is what is known of an item's tests after one more run: those that ran,
// each a third nearer to what it took now. What did not run is gone.
func smooth(before, now []shard.Sample) []shard.Sample {
	byName := func(a, b shard.Sample) int { return cmp.Compare(a.Item, b.Item) }
	slices.SortFunc(before, byName)
	now = slices.Clone(now)
	slices.SortFunc(now, byName)
	now = slices.CompactFunc(now, func(a, b shard.Sample) bool { return a.Item == b.Item })
	for i, test := range now {
		if at, found := slices.BinarySearchFunc(before, test, byName); found {
			now[i].MS = (2*before[at].MS + test.MS) / 3
		}
	}
	return now
}

// Timings gives what is known of a suite's durations, sorted by item; none is no error.
func (s *Store) Timings(ctx context.Context, repository int64, suite, variant string) (shard.History, error) {
	there, err := s.knownItems(ctx, timingsOf{repository, suite, variant})
	if err != nil {
		return nil, fmt.Errorf("read the timings of %s: %w", suite, err)
	}
	history := make(shard.History, len(there))
	for i, k := range there {
		history[i] = k.Timing
	}
	return history, nil
}

func (s *Store) knownItems(ctx context.Context, of timingsOf) ([]knownItem, error) {
	rows, err := s.read.QueryContext(ctx, sqlTimings, of.repository, of.suite, of.variant)
	if err != nil {
		return nil, err
	}
	return list(rows, func(row scanner) (k knownItem, err error) {
		err = row.Scan(&k.Item, &k.MS, &k.N, &k.at)
		return k, err
	})
}

// TestTimings gives what is known of the tests inside one item, by name; none is no error.
func (s *Store) TestTimings(ctx context.Context, repository int64, suite, variant, item string) ([]shard.Sample, error) {
	var text []byte
	var tests []shard.Sample
	err := s.read.QueryRowContext(ctx, sqlTestTimings, repository, suite, variant, item).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &tests)
	}
	if err != nil {
		return nil, fmt.Errorf("read the timings of the tests of %s: %w", item, err)
	}
	return tests, nil
}
