package web

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// failures counts, by address, the requests that could not prove who they are. It
// takes the same memory whatever comes: addresses that meet in one slot share it,
// which costs a stranger an extra pause and no proven job anything.
type failures struct {
	seed  maphash.Seed
	mu    sync.Mutex
	slots [failureSlots]failureSlot
}

type failureSlot struct {
	since time.Time
	n     int
}

// An address may fail so often within the window; then no keys are fetched for it.
const (
	failureSlots  = 4096
	failuresMost  = 20
	failureWindow = time.Minute
)

func newFailures() *failures { return &failures{seed: maphash.MakeSeed()} }

func (f *failures) slot(address string) *failureSlot {
	return &f.slots[maphash.String(f.seed, network(address))%failureSlots]
}

// many tells whether the address failed too often within the window.
func (f *failures) many(address string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.slot(address)
	return now.Sub(s.since) < failureWindow && s.n >= failuresMost
}

func (f *failures) count(address string, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.slot(address)
	if now.Sub(s.since) >= failureWindow {
		*s = failureSlot{since: now}
	}
	s.n++
}

// network is whom an address belongs to: of IPv6 the first 64 bits, since one
// machine has all the others.
func network(address string) string {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return address
	}
	ip := at.Addr().Unmap()
	if ip.Is4() {
		return ip.String()
	}
	prefix, err := ip.Prefix(64)
	if err != nil {
		return ip.String()
	}
	return prefix.String()
}
