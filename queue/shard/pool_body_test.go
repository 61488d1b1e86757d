package shard

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// A pool is written with every claim: it must stay small.
func TestAPoolIsSmall(t *testing.T) {
	const total = MaxTotal
	random := rand.New(rand.NewPCG(1, 2))
	units := make([]PoolUnit, 20_000)
	for i := range units {
		units[i] = PoolUnit{EstMS: int64(3000 * math.Exp(1.2*random.NormFloat64())), Known: i%20 > 0, Shard: i % total, Pre: random.IntN(2) > 0}
	}
	now := time.UnixMilli(1_764_000_000_000)
	p := NewStock(units, total).Open(now)
	largest := 0
	for claims := range 3000 {
		now = now.Add(50 * time.Millisecond)
		at := Seat{random.IntN(total), 1}
		g, err := p.Claim(at, fmt.Sprintf("0198c0de-0000-7000-8000-%012d", claims), now)
		if err != nil {
			t.Fatal(err)
		}
		// One in ten is never heard of again.
		if g.State == ClaimWork && random.IntN(10) > 0 {
			_ = p.Finish(at, Done{LeaseName(g.Fence), g.Fence}, now)
		}
		if claims%100 == 99 {
			body, err := p.Body()
			if err != nil {
				t.Fatal(err)
			}
			largest = max(largest, len(body))
		}
	}
	t.Logf("%d bytes at most, %d leases given", largest, p.fence)
	if largest > 150_000 || p.fence < 2000 {
		t.Errorf("a pool of %d bytes after %d leases", largest, p.fence)
	}
}

// What is stored may be damaged, or of another plan: that is an error and never a panic.
func TestADamagedPoolIsRefused(t *testing.T) {
	p := NewStock(make([]PoolUnit, 3), 2).Open(time.UnixMilli(0))
	if _, err := p.Take(Seat{0, 1}, time.UnixMilli(1)); err != nil {
		t.Fatal(err)
	}
	body, err := p.Body()
	if err != nil {
		t.Fatal(err)
	}
	whole := string(body)
	for name, text := range map[string]string{
		"nothing":             "",
		"cut off":             whole[:len(whole)/2],
		"of another version":  strings.Replace(whole, `"v":1`, `"v":2`, 1),
		"of another plan":     strings.Replace(whole, `"units":3`, `"units":4`, 1),
		"units missing":       strings.Replace(whole, `[[3,`, `[[2,`, 1),
		"units too many":      strings.Replace(whole, `[[3,`, `[[4000000000,`, 1),
		"negative":            strings.Replace(whole, `[[3,`, `[[-3,`, 1),
		"an unknown state":    strings.Replace(whole, `[[3,0,`, `[[3,9,`, 1),
		"a shard too many":    strings.Replace(whole, `[[3,0,0,0]`, `[[3,0,0,2]`, 1),
		"a loser too many":    strings.Replace(whole, `[[3,0,0,0]`, `[[3,0,0,0,1,1,1,1]`, 1),
		"a lease of nobody's": strings.Replace(whole, `"batches":[]`, `"batches":[[1,7,0]]`, 1),
		"no shards":           `{"v":1,"units":3,"runs":[[3,0,0,0]]}`,
	} {
		if text == whole {
			t.Fatalf("%s: nothing was changed in %s", name, whole)
		}
		if _, err := NewStock(make([]PoolUnit, 3), 2).Read([]byte(text)); err == nil {
			t.Errorf("%s: %s was read", name, text)
		}
	}
	if _, err := NewStock(make([]PoolUnit, 3), 2).Read(body); err != nil {
		t.Error(err)
	}
}
