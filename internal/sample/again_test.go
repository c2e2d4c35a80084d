package sample

import (
	"reflect"
	"slices"
	"testing"
)

func TestAgainIsTheSameCustomerWrittenAnew(t *testing.T) {
	const n = 2000
	samePhone, sameName := 0, 0
	for i := range n {
		c := Customer(1, i)
		d := Again(1, c)
		if !reflect.DeepEqual(d, Again(1, Customer(1, i))) {
			t.Fatalf("customer %d is written in two ways", i)
		}
		if d.Code != "" || d.Identifiers != nil || d.SourceKeys != nil || d.Name == "" {
			t.Fatalf("customer %d again: %+v", i, d)
		}
		if len(d.Phones) > 0 && d.Phones[0] == c.Phones[0] {
			samePhone++
		}
		if d.Name == c.Name {
			sameName++
		}
	}
	if samePhone < n*80/100 || samePhone > n*90/100 {
		t.Errorf("%d of %d have the same phone; want 85 %%", samePhone, n)
	}
	// 75 % without a slip, times 60 % or a name without a form (persons, 22 %): 53 % to 58 %
	if sameName < n*45/100 || sameName > n*70/100 {
		t.Errorf("%d of %d have the same name; want about 55 %%", sameName, n)
	}
}

func TestSkewAsksForAFewFarMoreOften(t *testing.T) {
	const size, draws = 100_000, 100_000
	counts := make([]int, size)
	skew, twin := NewSkew(1, 2, size), NewSkew(1, 2, size)
	for range draws {
		i := skew.Next()
		if i != twin.Next() {
			t.Fatal("two of a seed differ")
		}
		counts[i]++
	}
	slices.SortFunc(counts, func(a, b int) int { return b - a })
	hot := 0
	for _, n := range counts[:size/100] {
		hot += n
	}
	// Σ1/k over the first 1,000 of 100,000 is 7.49 of 12.09: 62 %.
	if share := float64(hot) / draws; share < 0.57 || share > 0.70 {
		t.Errorf("the first hundredth has %.0f %% of the draws; want 62 %%", 100*share)
	}
	if NewSkew(1, 1, 1).Next() != 0 {
		t.Error("one of one is not 0")
	}
}
