package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// FreezePlan keeps a plan's body under its key and id. The first one stays: kept
// is the body that is there afterwards, whoever wrote it. Inventory is the digest
// of the items that the body holds, empty where it does not hold them all.
func (s *Store) FreezePlan(ctx context.Context, key shard.PlanKey, id, inventory string, at time.Time, body []byte) (kept []byte, err error) {
	packed, err := pack(body)
	if err != nil {
		return nil, fmt.Errorf("freeze plan %s: %w", id, err)
	}
	fresh := false
	var there []byte
	err = s.writer.write(ctx, func(t *tx) error {
		n, err := t.exec(sqlFreezePlan, id, key.Repository, key.Run, key.Suite, key.Variant, key.Total, inventory, stamp(at), packed)
		if err != nil {
			return err
		}
		if fresh = n == 1; fresh {
			return nil
		}
		return t.row(sqlPlanByKey, key.Repository, key.Run, key.Suite, key.Variant, key.Total).Scan(&there)
	})
	if err == nil && !fresh {
		body, err = unpack(there)
	}
	if err != nil {
		return nil, fmt.Errorf("freeze plan %s: %w", id, err)
	}
	return body, nil
}

// PlanByKey gives the body of the plan that was frozen under a key; queue.ErrNotFound if there is none.
func (s *Store) PlanByKey(ctx context.Context, key shard.PlanKey) ([]byte, error) {
	return s.planBody(ctx, sqlPlanByKey, key.Repository, key.Run, key.Suite, key.Variant, key.Total)
}

// PlanByID gives the body of a repository's plan; queue.ErrNotFound if there is none.
func (s *Store) PlanByID(ctx context.Context, repository int64, id string) ([]byte, error) {
	return s.planBody(ctx, sqlPlanByID, repository, id)
}

// PlanOfInventory gives the body of a plan that was made for just these items;
// queue.ErrNotFound if there is none.
func (s *Store) PlanOfInventory(ctx context.Context, repository int64, suite, variant, inventory string) ([]byte, error) {
	if inventory == "" {
		return nil, fmt.Errorf("read a plan: %w", queue.ErrNotFound)
	}
	return s.planBody(ctx, sqlPlanOfInventory, repository, suite, variant, inventory)
}

func (s *Store) planBody(ctx context.Context, query string, args ...any) ([]byte, error) {
	var packed []byte
	err := s.read.QueryRowContext(ctx, query, args...).Scan(&packed)
	if err != nil {
		return nil, fmt.Errorf("read a plan: %w", known(err))
	}
	body, err := unpack(packed)
	if err != nil {
		return nil, fmt.Errorf("read a plan: %w", err)
	}
	return body, nil
}

// pack compresses: a plan is a long list of names that are much alike.
func pack(body []byte) ([]byte, error) {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err == nil {
		_, err = w.Write(body)
		err = errors.Join(err, w.Close())
	}
	return packed.Bytes(), err
}

func unpack(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
