package match

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// scored is a pair of rows with its log-odds.
type scored struct {
	a, b  uint32
	score float32
}

// clipped bounds what one pair says in the average of a cluster.
const clipped = 8

// largestMatrix is the largest group of rows whose pairs are all scored.
const largestMatrix = 400

// clusters joins rows by average linkage (Sokal and Michener 1958): two clusters become
// one while the mean log-odds between their records, clipped, speak for it. So one wrong
// pair does not chain two families of records. The score of pairs that were no candidates
// is asked for.
func clusters(ctx context.Context, rows int, edges []scored, score func(a, b uint32) float32, apart func(x, y []uint32, mean float32) bool) ([][]uint32, error) {
	var found [][]uint32
	for _, group := range components(rows, edges, 0) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		found = append(found, splitGroup(group, edges, score, apart, 0)...)
	}
	slices.SortFunc(found, func(a, b []uint32) int { return cmp.Compare(a[0], b[0]) })
	return found, nil
}

// splitGroup clusters one connected group. A group too large is first cut at its weaker edges.
func splitGroup(group []uint32, edges []scored, score func(a, b uint32) float32, apart func(x, y []uint32, mean float32) bool, above float32) [][]uint32 {
	if len(group) <= largestMatrix {
		return linkage(group, score, apart)
	}
	in := make(map[uint32]uint32, len(group))
	for i, row := range group {
		in[row] = uint32(i)
	}
	var inside []scored
	for _, e := range edges {
		if i, ok := in[e.a]; ok {
			inside = append(inside, scored{i, in[e.b], e.score})
		}
	}
	var found [][]uint32
	for _, part := range components(len(group), inside, above+2) {
		for i, row := range part {
			part[i] = group[row]
		}
		found = append(found, splitGroup(part, edges, score, apart, above+2)...)
	}
	return found
}

// sortScored sorts by rows.
func sortScored(list []scored) {
	slices.SortFunc(list, func(a, b scored) int { return cmp.Or(cmp.Compare(a.a, b.a), cmp.Compare(a.b, b.b)) })
}

// components are the groups of two and more rows that edges above a score connect.
func components(rows int, edges []scored, above float32) [][]uint32 {
	root := make([]uint32, rows)
	for i := range root {
		root[i] = uint32(i)
	}
	find := func(i uint32) uint32 {
		for root[i] != i {
			root[i] = root[root[i]]
			i = root[i]
		}
		return i
	}
	for _, e := range edges {
		if e.score > above {
			a, b := find(e.a), find(e.b)
			root[max(a, b)] = min(a, b)
		}
	}
	at := map[uint32]int{}
	var groups [][]uint32
	for i := range root {
		r := find(uint32(i))
		if r == uint32(i) {
			continue
		}
		g, known := at[r]
		if !known {
			g = len(groups)
			at[r] = g
			groups = append(groups, []uint32{r})
		}
		groups[g] = append(groups[g], uint32(i))
	}
	return groups
}

// linkage clusters a group, whose rows ascend, by its full matrix of scores.
func linkage(group []uint32, score func(a, b uint32) float32, apart func(x, y []uint32, mean float32) bool) [][]uint32 {
	n := len(group)
	sum := make([]float32, n*n) // between clusters
	for i := range n {
		for j := i + 1; j < n; j++ {
			s := score(group[i], group[j])
			if s > -verdict && s < verdict {
				s = min(max(s, -clipped), clipped)
			}
			sum[i*n+j], sum[j*n+i] = s, s
		}
	}
	members := make([][]uint32, n)
	for i, row := range group {
		members[i] = []uint32{row}
	}
	for {
		a, b := closest(members, sum)
		if a < 0 {
			break
		}
		mean := sum[a*n+b] / float32(len(members[a])*len(members[b]))
		if sum[a*n+b] < verdict/2 && apart(members[a], members[b], mean) {
			never := float32(math.Inf(-1))
			sum[a*n+b], sum[b*n+a] = never, never
			continue
		}
		for k := range n {
			sum[a*n+k] += sum[b*n+k]
			sum[k*n+a] = sum[a*n+k]
		}
		members[a] = append(members[a], members[b]...)
		members[b] = nil
	}
	var found [][]uint32
	for _, m := range members {
		if len(m) > 1 {
			slices.Sort(m)
			found = append(found, m)
		}
	}
	return found
}

// closest are the two clusters with the highest mean above 0, or -1.
func closest(members [][]uint32, sum []float32) (a, b int) {
	n := len(members)
	a, best := -1, float32(0)
	for i := range n {
		if members[i] == nil {
			continue
		}
		for j := i + 1; j < n; j++ {
			if members[j] == nil {
				continue
			}
			if mean := sum[i*n+j] / float32(len(members[i])*len(members[j])); mean > best {
				a, b, best = i, j, mean
			}
		}
	}
	return a, b
}
