package capacity

import (
	"reflect"
	"testing"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/sample/receivable"
)

func TestWorkloadDependsOnTheSeedAlone(t *testing.T) {
	a, b, other := workload{1}, workload{1}, workload{2}
	different := 0
	for i := range 500 {
		if !reflect.DeepEqual(a.draft(i), b.draft(i)) || a.classes(i) != b.classes(i) {
			t.Fatalf("customer %d is not the same twice", i)
		}
		if a.draft(i).Name != other.draft(i).Name {
			different++
		}
	}
	if different < 450 {
		t.Errorf("%d of 500 names differ with another seed", different)
	}
}

func TestEachTwelfthCustomerRepeatsAnEarlierOne(t *testing.T) {
	w, n := workload{1}, 0
	for i := range 12_000 {
		first, repeats := w.original(i)
		if repeats != (i%12 == 11) {
			t.Fatalf("customer %d repeats: %v", i, repeats)
		}
		if !repeats {
			continue
		}
		n++
		if _, again := w.original(first); again || first >= i {
			t.Fatalf("customer %d repeats %d, which is a repetition or later", i, first)
		}
	}
	if n != 1000 {
		t.Errorf("%d repetitions in 12,000; want 1,000", n)
	}
}

func TestExpectedAnswersGrowWithTheBook(t *testing.T) {
	w := workload{1}
	whole, parts := newExpected(), newExpected()
	whole.grow(w, 3000)
	parts.grow(w, 1000)
	parts.grow(w, 3000)
	if !reflect.DeepEqual(whole, parts) {
		t.Error("what is expected depends on how the book grew")
	}
	everybody := int64(0)
	for _, row := range whole.cells {
		for _, n := range row {
			everybody += n
		}
	}
	if everybody != 3000 || whole.matching == 0 || whole.owed[0][money.CNY] == 0 || whole.owed[0][money.CNY] == whole.owed[1][money.CNY] {
		t.Errorf("%d in the cross-tab, %d match, owed %v", everybody, whole.matching, whole.owed)
	}
}

// An invoice of 100 and one of 40, a payment of 100 that settles the first, by day: the
// balance is 100, 140 and 40.
func TestBalancesAreWhatIsInvoicedLessWhatIsPaid(t *testing.T) {
	a := &receivable.Account{Items: []receivable.Item{
		{Date: 10, Amount: 100, Currency: money.CNY}, {Date: 12, Amount: 40, Currency: money.CNY},
		{Date: 15, Amount: 100, Currency: money.CNY, Payment: true},
	}}
	for day, want := range map[int]int64{10: 100, 12: 140, 15: 40} {
		sums := map[money.Currency]int64{}
		balances(a, date.Date(day), sums)
		if sums[money.CNY] != want {
			t.Errorf("on day %d %d is owed; want %d", day, sums[money.CNY], want)
		}
	}
}

func TestIDsFollowTheRuns(t *testing.T) {
	b := &book{runs: []run{{0, 1, 100}, {100, 501, 50}}}
	for index, want := range map[int]customer.ID{0: 1, 99: 100, 100: 501, 149: 550} {
		if got := b.id(index); got != want {
			t.Errorf("customer %d has the id %d; want %d", index, got, want)
		}
	}
	if b.customers() != 150 {
		t.Errorf("%d customers; want 150", b.customers())
	}
}
