package sample

import "math/rand/v2"

// Skew draws what is worked with: a few are asked for far more often than others, by
// Zipf's law with an exponent of 1.01, which gives the first hundredth of a million
// two questions of three. The few are spread over the whole range. A Skew is used from
// one goroutine; its draws depend on the seed, the stream and the size alone.
type Skew struct {
	zipf *rand.Zipf
	size uint64
}

// NewSkew returns a Skew of the numbers from 0 to below size, which is at least 1.
func NewSkew(seed, stream uint64, size int) *Skew {
	source := rand.New(rand.NewPCG(seed, stream))
	return &Skew{rand.NewZipf(source, 1.01, 1, uint64(size-1)), uint64(size)}
}

// Next returns the next number.
func (s *Skew) Next() int { return int(spread(s.zipf.Uint64(), s.size)) }
