package shard

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
)

// Normalise returns the items byte-sorted and without doubles or empty ones.
// The list it is given stays as it is.
func Normalise(items []string) []string {
	ids := make([]string, 0, len(items))
	for _, item := range items {
		if item != "" {
			ids = append(ids, item)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Digest names an inventory: "sha256:" and the hash of the normalised items,
// joined by newlines. Two shards that see the same tests get the same digest.
func Digest(items []string) string {
	hash := sha256.New()
	for i, id := range Normalise(items) {
		if i > 0 {
			io.WriteString(hash, "\n")
		}
		io.WriteString(hash, id)
	}
	return "sha256:" + hex.EncodeToString(hash.Sum(nil))
}

// Split deals the normalised items out to total shards, one after the other.
// Every shard that sees the same items comes to the same cut without asking
// anybody. It returns nil when total is below one.
func Split(items []string, total int) [][]string {
	if total < 1 {
		return nil
	}
	slices := make([][]string, total)
	for i, id := range Normalise(items) {
		slices[i%total] = append(slices[i%total], id)
	}
	return slices
}

// Slice is one shard of Split. It returns nil when index is not below total.
func Slice(items []string, index, total int) []string {
	if index < 0 || index >= total {
		return nil
	}
	return Split(items, total)[index]
}
