package sim

func playOurs(l Load) *world { return newWorld(l) }
