package stat

import (
	"math"
	"slices"
)

// exactUpTo is the largest number of values in both samples for which the probability
// is counted out rather than approximated.
const exactUpTo = 50

// Differ returns the probability, from 0 to 1, that two samples would differ at least as
// much as they do if both came from the same distribution: the two-sided test of Mann and
// Whitney ("On a test of whether one of two random variables is stochastically larger
// than the other", 1947), exact for up to 50 values without ties, and otherwise by the
// normal approximation, corrected for ties and continuity. It is 1 for an empty sample.
func Differ(a, b []float64) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 1
	}
	u, ties := statistic(a, b)
	n, m := len(a), len(b)
	u = min(u, float64(n*m)-u)
	if ties == 0 && n+m <= exactUpTo {
		return math.Min(1, 2*exact(n, m, int(u)))
	}
	return approximate(n, m, u, ties)
}

// approximate is the two-sided probability by the normal distribution.
func approximate(n, m int, u, ties float64) float64 {
	total := float64(n + m)
	variance := float64(n*m) / 12 * (total + 1 - ties/(total*(total-1)))
	if variance <= 0 { // all values are one
		return 1
	}
	z := (float64(n*m)/2 - u - 0.5) / math.Sqrt(variance)
	return math.Min(1, math.Erfc(math.Max(0, z)/math.Sqrt2))
}

// statistic returns U of the first sample, and Σ(t³−t) over groups of t equal values.
func statistic(a, b []float64) (u, ties float64) {
	all := slices.Sorted(slices.Values(slices.Concat(a, b)))
	rank := map[float64]float64{}
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j] == all[i] {
			j++
		}
		t := float64(j - i)
		rank[all[i]] = float64(i+j+1) / 2 // the mean of i+1 … j
		ties += t*t*t - t
		i = j
	}
	for _, x := range a {
		u += rank[x]
	}
	return u - float64(len(a)*(len(a)+1))/2, ties
}

// exact is the probability that U is at most u: of all ways to deal n+m ranks out, the
// share in which that is so. Mann and Whitney's recurrence counts them: the highest rank
// is in the first sample, and beats all m of the second, or it is not.
func exact(n, m, u int) float64 {
	ways := make([][]float64, n+1) // by n and u, for the present m
	for i := range ways {
		ways[i] = make([]float64, n*m+1)
		ways[i][0] = 1
	}
	for j := 1; j <= m; j++ {
		for i := 1; i <= n; i++ {
			for k := n * m; k >= 0; k-- {
				if k >= j { // row i−1 is of this m already
					ways[i][k] += ways[i-1][k-j]
				}
			}
		}
	}
	var some, all float64
	for k, w := range ways[n] {
		all += w
		if k <= u {
			some += w
		}
	}
	return some / all
}
