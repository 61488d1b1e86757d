package flake

import "math"

// rate is the belief about how often a test fails on good code: a Beta
// distribution of failures and passes, with the prior in both.
type rate struct{ alpha, beta float64 }

// mean is the expected rate.
func (r rate) mean() float64 { return r.alpha / (r.alpha + r.beta) }

// above is the probability that the rate is above x.
func (r rate) above(x float64) float64 { return 1 - incompleteBeta(r.alpha, r.beta, x) }

// likelihood is the probability of k failures in a given order of m runs.
func (r rate) likelihood(k, m int) float64 {
	p := 1.0
	for i := range m {
		n := r.alpha + r.beta + float64(i)
		if i < k {
			p *= (r.alpha + float64(i)) / n
		} else {
			p *= (r.beta + float64(i-k)) / n
		}
	}
	return p
}

// incompleteBeta is the regularised incomplete beta function, the distribution
// function of Beta(a, b), by Lentz's method on its continued fraction.
func incompleteBeta(a, b, x float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	}
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	front := math.Exp(lab - la - lb + a*math.Log(x) + b*math.Log1p(-x))
	// The fraction converges fast on this side of the mean only.
	if x < (a+1)/(a+b+2) {
		return front * betaFraction(a, b, x) / a
	}
	return 1 - front*betaFraction(b, a, 1-x)/b
}

func betaFraction(a, b, x float64) float64 {
	const tiny, enough, most = 1e-300, 1e-14, 1000
	away := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	c, d := 1.0, 1/away(1-(a+b)*x/(a+1))
	sum := d
	for i := 1; i <= most; i++ {
		m := float64(i)
		even := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		d, c = 1/away(1+even*d), away(1+even/c)
		sum *= d * c
		odd := -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d, c = 1/away(1+odd*d), away(1+odd/c)
		sum *= d * c
		if math.Abs(d*c-1) < enough {
			break
		}
	}
	return sum
}
