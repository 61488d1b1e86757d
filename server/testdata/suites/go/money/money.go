// Package money is a part of the shop.
package money

// Euro writes cents as euro.
func Euro(cents int) int { return cents / 100 }
