package tagging

import (
	"slices"
	"strings"
)

// suggest names the known code that is nearest to an unknown one, when one is near.
func suggest(code string, known []string) string {
	const longest = 64 // bytes; what is longer is no slip of the pen
	folded := foldCode(code)
	if folded == "" || len(folded) > longest {
		return ""
	}
	slices.Sort(known)
	best, nearest := "", 1+len([]rune(folded))/3
	for _, candidate := range known {
		if d := editDistance(folded, foldCode(candidate), nearest); d < nearest || d == nearest && best == "" {
			best, nearest = candidate, d
		}
	}
	if best == "" {
		return ""
	}
	return "do you mean " + best + "?"
}

// editDistance is the least number of characters to insert, delete, exchange or swap
// with their neighbour that makes b of a (optimal string alignment), or more than limit
// when it exceeds limit.
func editDistance(a, b string, limit int) int {
	x, y := []rune(a), []rune(b)
	if max(len(x)-len(y), len(y)-len(x)) > limit {
		return limit + 1
	}
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := range x {
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		if slices.Min(row) > limit {
			return limit + 1
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}

// reserved are the words that filters use for customer fields and for themselves.
var reserved = strings.Fields(`and or not has missing segment tag any none all
	id code name status kind party owner rep unit country province city district division created updated
	identifier phone email address contact alias website note source attr activity customer receivables now`)
