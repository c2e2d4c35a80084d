package identifier_test

import "testing"

// BenchmarkParse measures numbers as they come from a clean import, and one that needs
// normalising.
func BenchmarkParse(b *testing.B) {
	set := newSet(b)
	for _, c := range []struct{ name, scheme, raw string }{
		{"cn.uscc", "cn.uscc", "91350100M000100Y43"},
		{"cn.resident", "cn.resident", "11010519491231002X"},
		{"tw.ubn", "tw.ubn", "22099131"},
		{"lei", "lei", "5493001KJTIIGC8Y1R12"},
		{"eu.vat", "eu.vat", "DE136695976"},
		{"typed", "cn.uscc", "9135 0100 m000 100y 43"},
		{"refused", "tw.ubn", "22099132"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = set.Parse(c.scheme, c.raw)
			}
		})
	}
}

func BenchmarkGuess(b *testing.B) {
	set := newSet(b)
	b.ReportAllocs()
	for b.Loop() {
		set.Guess("22099131")
	}
}
