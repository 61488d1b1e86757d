package money

// Tax is the tax on an amount.
func Tax(amount int) int { return amount * 21 / 100 }
