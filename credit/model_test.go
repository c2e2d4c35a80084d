package credit_test

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
)

// model is the ledger as the rules say it: two lists, from which every report is computed
// anew.
type model struct {
	items  []*credit.Item
	events []*credit.Allocation // undone and undoing ones among them
}

// counted reports whether what counts from a day and was recorded on another is in a
// report.
func counted(on, recorded, asOf, known date.Date) bool {
	return on <= asOf && (known == 0 || recorded <= known)
}

// open is what is open of an item in a report.
func (m *model) open(i *credit.Item, asOf, known date.Date) int64 {
	if !counted(i.Effective, i.Known, asOf, known) {
		return 0
	}
	open := i.Amount.Minor
	for _, a := range m.events {
		sign := int64(-1)
		if a.Undoes != 0 {
			sign = 1
		}
		if !counted(a.Effective, a.Known, asOf, known) {
			continue
		}
		if a.Debit == i.ID {
			open += sign * a.Amount.Minor
		}
		if a.Credit == i.ID {
			open += sign * a.CreditAmount.Minor
		}
	}
	return open
}

// opens is what is open of each item, by allocations or by FIFO, in which each credit settles
// the customer's debits in its currency by due day, document date and item.
func (m *model) opens(q credit.AgingQuery) map[credit.ItemID]int64 {
	open := map[credit.ItemID]int64{}
	debits := map[account][]*credit.Item{}
	for _, i := range m.items {
		switch key := (account{i.Customer, i.Amount.Currency.String()}); {
		case !q.FIFO:
			open[i.ID] = m.open(i, q.AsOf, q.KnownOn)
		case counted(i.Effective, i.Known, q.AsOf, q.KnownOn):
			open[i.ID] = i.Amount.Minor
			if i.Side == credit.Debit {
				debits[key] = append(debits[key], i)
			}
		}
	}
	if !q.FIFO {
		return open
	}
	for _, list := range debits {
		slices.SortFunc(list, func(a, b *credit.Item) int {
			return cmp.Or(cmp.Compare(a.Due, b.Due), cmp.Compare(a.Date, b.Date), cmp.Compare(a.ID, b.ID))
		})
	}
	for _, i := range m.items {
		if i.Side == credit.Debit {
			continue
		}
		for _, debit := range debits[account{i.Customer, i.Amount.Currency.String()}] {
			settled := min(open[i.ID], open[debit.ID])
			open[i.ID] -= settled
			open[debit.ID] -= settled
		}
	}
	return open
}

// overdrawn returns an item of which less than nothing is open on some day, nil for none.
// Between the days on which something changes it is open as on the last of them.
func (m *model) overdrawn() *credit.Item {
	for _, i := range m.items {
		for _, a := range m.events {
			if (a.Debit == i.ID || a.Credit == i.ID) && m.open(i, a.Effective, 0) < 0 {
				return i
			}
		}
	}
	return nil
}

// disputed is what of so much of an item is in dispute now; nothing is of a settled one.
func (m *model) disputed(id credit.ItemID, open int64) int64 {
	for _, i := range m.items {
		switch {
		case i.ID != id:
		case i.Dispute.Since == 0 || m.open(i, date.Last, 0) == 0:
			return 0
		case i.Dispute.Amount == 0:
			return open
		default:
			return min(open, i.Dispute.Amount)
		}
	}
	return 0
}

// bucket is the column of an item, for the buckets not due, 1–30, 31–60, 61–90, more.
func bucket(past int) int {
	switch {
	case past <= 0:
		return 0
	case past <= 30:
		return 1
	case past <= 60:
		return 2
	case past <= 90:
		return 3
	}
	return 4
}

type account struct {
	customer customer.ID
	currency string
}

// rows is a report as text, a line for each customer and currency.
func (m *model) rows(q credit.AgingQuery, wanted func(customer.ID) bool) (text string) {
	sums := map[account]*[6]int64{}
	open := m.opens(q)
	for _, i := range m.items {
		if !wanted(i.Customer) {
			continue
		}
		key := account{i.Customer, i.Amount.Currency.String()}
		if sums[key] == nil {
			sums[key] = &[6]int64{}
		}
		past := int(q.AsOf - i.Due)
		if q.Basis == aging.ByDocument {
			past = max(1, int(q.AsOf-i.Date))
		}
		if i.Side == credit.Credit {
			sums[key][5] -= open[i.ID]
		} else {
			sums[key][bucket(past)] += open[i.ID]
		}
	}
	keys := make([]account, 0, len(sums))
	for key := range sums {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b account) int {
		return cmp.Or(cmp.Compare(a.customer, b.customer), cmp.Compare(a.currency, b.currency))
	})
	for _, key := range keys {
		s := sums[key]
		if *s == [6]int64{} {
			continue
		}
		balance := s[0] + s[1] + s[2] + s[3] + s[4] + s[5]
		text += fmt.Sprintln(uint64(key.customer), key.currency, s[:5], s[5], balance)
	}
	return text
}

// history makes random postings to a book and to its model.
type history struct {
	*book
	t     *rapid.T
	model model
	first customer.ID
	count int
	key   int
	// merged are the merges that can be undone, the latest last.
	merged []*credit.Combination
	// closed is the last closed day, and frozen the total as of it when it was closed.
	closed date.Date
	frozen string
}

var currenciesUsed = []money.Currency{money.CNY, money.USD, money.JPY}

func (h *history) someDay(label string) date.Date {
	return day("2024-01-15") + date.Date(rapid.IntRange(0, 240).Draw(h.t, label))
}

func (h *history) someone() customer.ID {
	return h.first + customer.ID(rapid.IntRange(0, h.count-1).Draw(h.t, "customer"))
}

// expected are the refusals that random requests meet.
func expected(err error) bool {
	for _, refusal := range []error{credit.ErrOverAllocated, credit.ErrReversed, credit.ErrAllocated, credit.ErrOtherCustomer, credit.ErrCurrency, credit.ErrSide, credit.ErrClosedPeriod} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

func (h *history) do(f func(tx) error) bool {
	err := h.try(f)
	if err != nil && !expected(err) {
		h.t.Fatal(err)
	}
	return err == nil
}

func (h *history) postSome() {
	kinds := []credit.Kind{credit.Invoice, credit.Invoice, credit.Payment, credit.CreditNote, credit.Deposit}
	h.key++
	d := credit.Document{
		Key: fmt.Sprint("D", h.key), Customer: h.someone(), Kind: rapid.SampledFrom(kinds).Draw(h.t, "kind"), Date: h.someDay("date"),
		Amount:    money.Amount{Minor: rapid.Int64Range(1, 50).Draw(h.t, "amount"), Currency: rapid.SampledFrom(currenciesUsed).Draw(h.t, "currency")},
		CarryLate: h.carries(),
	}
	rule := credit.DueRule{Days: rapid.IntRange(0, 70).Draw(h.t, "net")}
	d.Terms.Parts = []credit.TermsPart{{Weight: 1, Rule: rule}}
	if rapid.Bool().Draw(h.t, "two parts") {
		d.Terms.Parts = append(d.Terms.Parts, credit.TermsPart{Weight: 1})
	}
	var items []*credit.Item
	if h.do(func(tx tx) (err error) { items, err = tx.Post(d); return err }) {
		h.model.items = append(h.model.items, items...)
	}
}

// someItem returns an item of a side, nil when there is none.
func (h *history) someItem(side credit.Side, of customer.ID) *credit.Item {
	var list []*credit.Item
	for _, i := range h.model.items {
		if i.Side == side && (of == 0 || i.Customer == of) {
			list = append(list, i)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return rapid.SampledFrom(list).Draw(h.t, side.String())
}

func (h *history) allocateSome() {
	debit := h.someItem(credit.Debit, 0)
	if debit == nil {
		return
	}
	other := h.someItem(credit.Credit, debit.Customer)
	if other == nil {
		return
	}
	q := credit.AllocationRequest{Debit: debit.ID, Credit: other.ID, Amount: rapid.Int64Range(0, 30).Draw(h.t, "amount"), Date: h.someDay("on"), CarryLate: h.carries()}
	if debit.Amount.Currency != other.Amount.Currency {
		q.Amount, q.CreditAmount = max(q.Amount, 1), rapid.Int64Range(1, 30).Draw(h.t, "credit amount")
	}
	var a *credit.Allocation
	if h.do(func(tx tx) (err error) { a, err = tx.Allocate(q); return err }) {
		h.model.events = append(h.model.events, a)
	}
}

func (h *history) undoSome() {
	if len(h.model.events) == 0 {
		return
	}
	former := rapid.SampledFrom(h.model.events).Draw(h.t, "allocation")
	u := credit.Undo{CarryLate: h.carries()}
	if rapid.Bool().Draw(h.t, "later") {
		u.Date = h.someDay("undone")
	}
	var a *credit.Allocation
	if h.do(func(tx tx) (err error) { a, err = tx.Deallocate(former.ID, u); return err }) {
		h.model.events = append(h.model.events, a)
	}
}

func (h *history) reverseSome() {
	i := h.someItem(rapid.SampledFrom([]credit.Side{credit.Debit, credit.Credit}).Draw(h.t, "side"), 0)
	if i == nil {
		return
	}
	h.key++
	how := credit.Reverse{Key: fmt.Sprint("R", h.key), Date: h.someDay("reversed"), Deallocate: rapid.Bool().Draw(h.t, "deallocate"), CarryLate: h.carries()}
	var back *credit.Item
	var events []*credit.Allocation
	done := h.do(func(tx tx) (err error) {
		if back, err = tx.Reverse(i.ID, how); err != nil {
			return err
		}
		events = nil
		for a, err := range tx.Allocations(i.ID) {
			if err != nil {
				return err
			}
			events = append(events, a)
		}
		return nil
	})
	if !done {
		return
	}
	h.model.items = append(h.model.items, back)
	for _, a := range events {
		known := slices.ContainsFunc(h.model.events, func(o *credit.Allocation) bool { return o.ID == a.ID })
		if !known {
			h.model.events = append(h.model.events, a)
		}
	}
}

// carries draws whether what comes too late for its period is carried out of it.
func (h *history) carries() bool { return rapid.Bool().Draw(h.t, "carry") }

// closeSome closes the books through a later day, or opens them altogether.
func (h *history) closeSome() {
	through := max(h.closed, h.someDay("closed"))
	if rapid.IntRange(0, 3).Draw(h.t, "open again") == 0 {
		through = 0
	}
	h.do(func(tx tx) error { _, err := tx.ClosePeriod(through); return err })
	h.closed, h.frozen = through, h.total(credit.AgingQuery{AsOf: through, Buckets: aging.Standard()})
}

// checkClosed wants the total as of the last closed day to be what it was when it was closed.
func (h *history) checkClosed() {
	if h.closed == 0 {
		return
	}
	if got := h.total(credit.AgingQuery{AsOf: h.closed, Buckets: aging.Standard()}); got != h.frozen {
		h.t.Fatalf("closed through %s:\n%swas\n%s", h.closed, got, h.frozen)
	}
}

// disputeSome contests an item, wholly or in part, or ends that.
func (h *history) disputeSome() {
	i := h.someItem(credit.Debit, 0)
	if i == nil {
		return
	}
	d := credit.Dispute{}
	if rapid.Bool().Draw(h.t, "contested") {
		d = credit.Dispute{Since: day("2024-02-01"), Amount: rapid.Int64Range(0, i.Amount.Minor).Draw(h.t, "in part")}
	}
	h.do(func(tx tx) error { _, err := tx.SetDispute(i.ID, d); return err })
	i.Dispute = d
}

// mergeSome merges two customers, and moves the model's items.
func (h *history) mergeSome() {
	survivor, loser := h.someone(), h.someone()
	if survivor == loser {
		return
	}
	var done *credit.Combination
	h.do(func(tx tx) (err error) { done, err = tx.MergeCustomers(survivor, loser); return err })
	h.merged = append(h.merged, done)
	for _, i := range h.model.items {
		if i.Customer == loser {
			i.Customer, i.Via = survivor, append(i.Via, loser)
		}
	}
}

func (h *history) unmergeSome() {
	if len(h.merged) == 0 {
		return
	}
	last := len(h.merged) - 1
	done := h.merged[last]
	h.merged = h.merged[:last]
	h.do(func(tx tx) error { return tx.UnmergeCustomers(done) })
	for _, i := range h.model.items {
		if n := len(i.Via); i.Customer == done.Survivor && n > 0 && i.Via[n-1] == done.Loser {
			i.Customer, i.Via = done.Loser, i.Via[:n-1]
		}
	}
}

// checkItems compares a report by item.
func (h *history) checkItems(q credit.AgingQuery) {
	want := map[credit.ItemID]int64{}
	for _, i := range h.model.items {
		if open := h.model.open(i, q.AsOf, q.KnownOn); open != 0 {
			want[i.ID] = open
		}
	}
	h.view(func(r *credit.Reader) error {
		last := credit.OpenItem{}
		for i, err := range r.OpenItems(q) {
			if err != nil {
				return err
			}
			if disputed := h.model.disputed(i.Item, i.Open.Minor); i.Disputed != disputed {
				h.t.Fatalf("as of %s known on %q: of item %d %d are disputed, want %d", q.AsOf, q.KnownOn, i.Item, i.Disputed, disputed)
			}
			if i.Open.Minor != want[i.Item] {
				h.t.Fatalf("as of %s known on %q: open of item %d is %d, want %d", q.AsOf, q.KnownOn, i.Item, i.Open.Minor, want[i.Item])
			}
			delete(want, i.Item)
			if cmp.Or(cmp.Compare(last.Customer, i.Customer), cmp.Compare(last.Due, i.Due), cmp.Compare(last.Item, i.Item)) >= 0 {
				h.t.Fatalf("item %d comes after item %d", i.Item, last.Item)
			}
			last = i
		}
		if len(want) > 0 {
			h.t.Fatalf("as of %s known on %q: missing are %v", q.AsOf, q.KnownOn, want)
		}
		return nil
	})
}

// checkMovements holds the movements between two reports against their balances.
func (h *history) checkMovements(q credit.AgingQuery) {
	from := q
	from.AsOf = h.someDay("compared with")
	balance := func(r *credit.Reader, q credit.AgingQuery, sign int64, to map[account]int64) error {
		for row, err := range r.Aging(q) {
			if err != nil {
				return err
			}
			to[account{customer.ID(row.Customer), row.Currency.String()}] += sign * row.Balance
		}
		return nil
	}
	h.view(func(r *credit.Reader) error {
		change := map[account]int64{}
		if err := errors.Join(balance(r, from, -1, change), balance(r, q, 1, change)); err != nil {
			return err
		}
		for m, err := range r.Movements(from, q) {
			if err != nil {
				return err
			}
			change[account{m.Customer, m.Amount.Currency.String()}] -= m.Amount.Minor
		}
		for key, left := range change {
			if left != 0 {
				h.t.Fatalf("from %s to %s known on %q: the movements of %v leave %d unexplained", from.AsOf, q.AsOf, q.KnownOn, key, left)
			}
		}
		return nil
	})
}

// verify fails when the ledger finds itself wrong.
func (h *history) verify() {
	for _, d := range h.differences() {
		h.t.Fatal(d)
	}
}

func everybody(customer.ID) bool { return true }

// check compares reports of a day and what was known on another.
func (h *history) check() {
	if i := h.model.overdrawn(); i != nil {
		h.t.Fatalf("less than nothing was open of %+v", i)
	}
	q := credit.AgingQuery{AsOf: h.someDay("as of"), Buckets: aging.Standard(), Basis: rapid.SampledFrom([]aging.Basis{aging.ByDue, aging.ByDocument}).Draw(h.t, "basis")}
	if rapid.Bool().Draw(h.t, "known") {
		q.KnownOn = h.someDay("known on")
	}
	want := h.model.rows(q, everybody)
	if got := h.rows(q); got != want {
		h.t.Fatalf("as of %s by %s known on %q:\n%swant\n%s", q.AsOf, q.Basis, q.KnownOn, got, want)
	}
	h.checkClosed()
	h.checkFIFO(q)
	few := bitset.Of(uint64(h.someone()), uint64(h.someone()))
	q.Customers = few
	want = h.model.rows(q, func(id customer.ID) bool { return few.Contains(uint64(id)) })
	if got := h.rows(q); got != want {
		h.t.Fatalf("few, as of %s by %s known on %q:\n%swant\n%s", q.AsOf, q.Basis, q.KnownOn, got, want)
	}
	q.Customers = nil
	h.checkTotal(q)
	h.checkItems(q)
	h.checkMovements(q)
	h.checkRevaluation(q)
}

// checkFIFO compares the simulation with one item by item.
func (h *history) checkFIFO(q credit.AgingQuery) {
	q.FIFO, q.Basis = true, aging.ByDue
	if got, want := h.rows(q), h.model.rows(q, everybody); got != want {
		h.t.Fatalf("by FIFO, as of %s known on %q:\n%swant\n%s", q.AsOf, q.KnownOn, got, want)
	}
}

// checkRevaluation holds revalued reports against those that aren't.
func (h *history) checkRevaluation(q credit.AgingQuery) {
	rates := func(on date.Date, c money.Currency) (money.Rate, error) {
		return money.Rate{Coefficient: uint64(c) + uint64(on%50), Scale: 2}, nil
	}
	now := func(c money.Currency) (money.Rate, error) { return rates(q.AsOf, c) }
	for _, as := range []credit.Presentation{credit.InBase, credit.InDocument} {
		h.view(func(r *credit.Reader) error {
			v := credit.Valuation{In: as, Rates: rates}
			var documents string
			worth := map[uint64]int64{}
			for line, err := range r.Revalue(q, v) {
				if err != nil {
					return err
				}
				documents += fmt.Sprintln(line.Document.Customer, line.Document.Currency, line.Document.Buckets, line.Document.Unapplied, line.Document.Balance)
				worth[line.Worth.Customer] += line.Worth.Balance
				if line.Worth.Balance != line.Booked+line.Revalued {
					h.t.Fatalf("%+v: the worth is not what was booked and revalued", line)
				}
			}
			if want := h.model.rows(q, everybody); documents != want {
				h.t.Fatalf("revalued as of %s:\n%swant\n%s", q.AsOf, documents, want)
			}
			if as != credit.InBase {
				return h.checkRevaluedTotal(r, q, v)
			}
			for row, err := range r.AgingIn(q, money.CNY, now) {
				if err != nil {
					return err
				}
				worth[row.Customer] -= row.Balance
			}
			for id, left := range worth {
				if left != 0 {
					h.t.Fatalf("customer %d as of %s: the worths by currency are %d more than those together", id, q.AsOf, left)
				}
			}
			return h.checkRevaluedTotal(r, q, v)
		})
	}
}

// checkRevaluedTotal compares totals in the documents' currencies with the control total.
func (h *history) checkRevaluedTotal(r *credit.Reader, q credit.AgingQuery, v credit.Valuation) error {
	total, err := r.AgingTotal(q)
	if err != nil {
		return err
	}
	list, err := r.RevalueTotal(q, v)
	if err != nil {
		return err
	}
	lines := ""
	for _, l := range list {
		lines += line(l.Document)
		if l.Worth.Balance != l.Booked+l.Revalued {
			h.t.Fatalf("%+v: the worth is not what was booked and revalued", l)
		}
	}
	if want := text(total); lines != want {
		h.t.Fatalf("revalued total as of %s:\n%swant\n%s", q.AsOf, lines, want)
	}
	return nil
}

// checkTotal compares the book's total with the sum of its rows.
func (h *history) checkTotal(q credit.AgingQuery) {
	h.view(func(r *credit.Reader) error {
		total, err := r.AgingTotal(q)
		if err != nil {
			return err
		}
		sum, err := r.AgingBy(q, func(customer.ID) (uint64, bool) { return 0, true })
		if err != nil {
			return err
		}
		if got, want := text(total), text(sum); got != want {
			h.t.Fatalf("total as of %s known on %q:\n%swant\n%s", q.AsOf, q.KnownOn, got, want)
		}
		return nil
	})
}

func text(sums *aging.Accumulator) (lines string) {
	for row, err := range sums.Rows() {
		if err != nil {
			return err.Error()
		}
		lines += line(row)
	}
	return lines
}

func TestReportsOfEveryDayEqualARecomputation(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := &history{book: newBook(t, credit.Options{}), t: rt, count: 20}
		defer h.close()
		h.credit.SmallPages()
		h.first = h.addCustomers(h.count)
		today := day("2024-01-20")
		rt.Repeat(map[string]func(*rapid.T){
			"post":     func(*rapid.T) { h.postSome() },
			"post too": func(*rapid.T) { h.postSome() },
			"allocate": func(*rapid.T) { h.allocateSome() },
			"settle":   func(*rapid.T) { h.allocateSome() },
			"undo":     func(*rapid.T) { h.undoSome() },
			"reverse":  func(*rapid.T) { h.reverseSome() },
			"days pass": func(*rapid.T) {
				today += date.Date(rapid.IntRange(1, 25).Draw(h.t, "days"))
				h.setDay(today)
			},
			"dispute": func(*rapid.T) { h.disputeSome() },
			"close":   func(*rapid.T) { h.closeSome() },
			"merge":   func(*rapid.T) { h.mergeSome() },
			"unmerge": func(*rapid.T) { h.unmergeSome() },
			"check":   func(*rapid.T) { h.check() },
		})
		h.check()
		h.verify()
	})
}
