// Package stock is a part of the shop.
package stock

// Left is what is left of a stock.
func Left(have, sold int) int { return max(have-sold, 0) }
