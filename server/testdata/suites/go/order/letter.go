package order

// Greeting begins a letter.
func Greeting(name string) string { return "Dear " + name }
