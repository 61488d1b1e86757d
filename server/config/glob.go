package config

// match tells whether a branch's name fits a pattern: * is anything but a
// slash, ** anything, ? one character that is no slash. Its cost is the product
// of both lengths, whatever the pattern.
func match(pattern, name string) bool {
	p, s := []rune(pattern), []rune(name)
	fits := make([]bool, len(s)+1) // whether the pattern so far fits s[:i]
	fits[0] = true
	for i := 0; i < len(p); i++ {
		switch {
		case p[i] == '*' && i+1 < len(p) && p[i+1] == '*':
			i++
			spread(fits, s, true)
		case p[i] == '*':
			spread(fits, s, false)
		default:
			for j := len(s); j > 0; j-- {
				fits[j] = fits[j-1] && (p[i] == s[j-1] || p[i] == '?' && s[j-1] != '/')
			}
			fits[0] = false
		}
	}
	return fits[len(s)]
}

// spread lets a star take any number of characters more.
func spread(fits []bool, s []rune, slashes bool) {
	for j, r := range s {
		fits[j+1] = fits[j+1] || fits[j] && (slashes || r != '/')
	}
}
