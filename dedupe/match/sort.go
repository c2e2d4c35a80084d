package match

// sortUint64 sorts ascending, by digits of eleven bits from the lowest up: in half the time of comparing
// where there are millions.
func sortUint64(s []uint64) {
	sortByKey(s, make([]uint64, len(s)), func(x uint64) uint64 { return x })
}

// sortByKey is a stable radix sort (Knuth, The Art of Computer Programming 3, 5.2.5). The
// room is as long as the slice.
func sortByKey[T any](s, room []T, key func(T) uint64) {
	if len(s) < 2 {
		return
	}
	const bits, digits, values = 11, 6, 1 << 11
	var count [digits][values]uint32
	for _, x := range s {
		for d, k := 0, key(x); d < digits; d++ {
			count[d][k&(values-1)]++
			k >>= bits
		}
	}
	from, to := s, room
	for d := range digits {
		if count[d][key(from[0])>>(bits*d)&(values-1)] == uint32(len(s)) {
			continue // all alike
		}
		sum := uint32(0)
		for v, n := range count[d] {
			count[d][v], sum = sum, sum+n
		}
		for _, x := range from {
			v := key(x) >> (bits * d) & (values - 1)
			to[count[d][v]] = x
			count[d][v]++
		}
		from, to = to, from
	}
	if &from[0] != &s[0] {
		copy(s, from)
	}
}
