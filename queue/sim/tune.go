package sim

var WFLOOR = 3
var WCAP = func(l *lab) int { return 1000 }
