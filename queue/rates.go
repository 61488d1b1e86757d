package queue

import "github.com/mainstay-ci/mainstay/queue/search"

// Rates is what a queue has learnt of itself: how many pull requests are bad and
// how many runs of good code are red. Old news fades. It learns from what landed
// and from what went out as a culprit, never from a run that proves nothing.
type Rates struct {
	Bad    float64 `json:"bad"`    // culprits
	Good   float64 `json:"good"`   // landed
	Flakes float64 `json:"flakes"` // red runs of sets that landed whole
	Greens float64 `json:"greens"` // green runs
}

// What is believed before anything is known: 4 % of pull requests are bad, as if
// 25 had been seen; 2 % of runs lie, as if 25 had been: more than most, so that
// a young queue blames nobody too soon.
const (
	priorBad, priorSeen   = 1, 25
	priorFlakes, priorRun = 0.5, 25
	// fade is the weight an observation keeps at the next one: half of it after about 1,400.
	fade = 0.9995
)

func (r Rates) chances() search.Rates {
	return search.Rates{
		Fail:  (priorBad + r.Bad) / (priorSeen + r.Bad + r.Good),
		Flake: (priorFlakes + r.Flakes) / (priorRun + r.Flakes + r.Greens),
	}
}

func (r *Rates) bad()  { r.Bad, r.Good = r.Bad*fade+1, r.Good*fade }
func (r *Rates) good() { r.Bad, r.Good = r.Bad*fade, r.Good*fade+1 }

func (r *Rates) green() { r.Flakes, r.Greens = r.Flakes*fade, r.Greens*fade+1 }

// flaked counts red runs of a set that landed whole.
func (r *Rates) flaked(times int) {
	r.Flakes, r.Greens = r.Flakes*fade+float64(times), r.Greens*fade
}
