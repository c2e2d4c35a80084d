package credit_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/customer"
)

// paper is credit control as a clerk would keep it on paper: what every document takes,
// in yuan, added up anew for each question.
type paper struct {
	open    map[string]*sheet
	owes    map[customer.ID]int64 // invoices less payments
	inGroup map[customer.ID]bool
	unit    map[customer.ID]customer.UnitID
	limit   int64 // of each customer alone, outside the group
	shared  int64 // of the group
	now     time.Time
	bills   int
}

// sheet is one document.
type sheet struct {
	customer      customer.ID
	stage         credit.Stage
	ended         bool
	amount        int64
	takes, passed int64
	from          string
	took          int64
	expires       time.Time
}

func (p *paper) live(s *sheet) bool {
	return !s.ended && (s.stage != credit.Reserved || p.now.Before(s.expires))
}

func (p *paper) used(in func(customer.ID) bool) (total int64) {
	for _, s := range p.open {
		if p.live(s) && in(s.customer) {
			total += s.takes
		}
	}
	for id, owes := range p.owes {
		if in(id) {
			total += owes
		}
	}
	return total
}

// fits reports whether a customer gets more credit.
func (p *paper) fits(id customer.ID, more int64) bool {
	if more <= 0 {
		return true
	}
	if p.inGroup[id] {
		return p.used(func(c customer.ID) bool { return p.inGroup[c] })+more <= p.shared
	}
	return p.used(func(c customer.ID) bool { return c == id })+more <= p.limit
}

// Random histories of documents, payments, expiries and moves come out as on paper: each
// request is granted or refused alike, and every exposure is the sum of what is open.
func TestRandomHistoriesAgreeWithPaper(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		d := newDesk(t, credit.Options{})
		p := &paper{
			open: map[string]*sheet{}, owes: map[customer.ID]int64{}, inGroup: map[customer.ID]bool{}, unit: map[customer.ID]customer.UnitID{},
			limit: 1000, shared: 1500, now: d.clock(),
		}
		var ids []customer.ID
		for i := range 3 {
			id := d.customer(customer.UnitID(i))
			p.unit[id] = customer.UnitID(i)
			ids = append(ids, id)
		}
		g := d.group("G")
		d.limit(credit.OfGroup(g), p.shared)
		for _, id := range ids {
			d.limit(credit.OfCustomer(id), p.limit)
		}
		h := &errands{desk: d, paper: p, r: r, ids: ids, g: g}
		for range rapid.IntRange(5, 15).Draw(r, "steps") {
			h.step()
			h.compare()
		}
		d.verify()
		d.close()
	})
}

// errands draws operations, does them on paper and in the book, and wants both to agree.
type errands struct {
	*desk
	*paper
	r   *rapid.T
	ids []customer.ID
	g   credit.GroupID
}

func (h *errands) pick() customer.ID { return rapid.SampledFrom(h.ids).Draw(h.r, "customer") }

func (h *errands) key() string { return fmt.Sprint("k", rapid.IntRange(1, 8).Draw(h.r, "key")) }

func (h *errands) amount() int64 { return rapid.Int64Range(1, 700).Draw(h.r, "amount") }

// agree wants an error, or none, as on paper.
func (h *errands) agree(what string, err error, want error) {
	if want == nil && err != nil || want != nil && !errors.Is(err, want) {
		h.r.Fatalf("%s: %v, on paper %v", what, err, want)
	}
}

func (h *errands) step() {
	switch rapid.IntRange(0, 11).Draw(h.r, "operation") {
	case 0, 1, 2:
		h.reserve()
	case 3:
		h.commit()
	case 4, 5:
		h.pass()
	case 6:
		h.change()
	case 7:
		h.release()
	case 8:
		h.reopen()
	case 9:
		h.takeBack()
	case 10:
		h.bill()
	default:
		h.time()
	}
}

func (h *errands) reserve() {
	key, id, n := h.key(), h.pick(), h.amount()
	stage := rapid.SampledFrom([]credit.Stage{credit.Reserved, credit.Ordered}).Draw(h.r, "stage")
	_, err := h.desk.reserve(credit.Request{Key: key, Customer: id, Amount: yuan(n), Stage: stage})
	s := h.open[key]
	switch {
	case s != nil && (s.customer != id || s.amount != n || s.from != ""):
		h.agree("reserve", err, credit.ErrKeyUsed)
	case s != nil && !h.live(s):
		h.agree("reserve", err, credit.ErrEnded)
	case s != nil:
		h.agree("reserve again", err, nil)
	case !h.fits(id, n):
		h.agree("reserve", err, credit.ErrRefused)
	default:
		h.agree("reserve", err, nil)
		h.open[key] = &sheet{customer: id, stage: stage, amount: n, takes: n, expires: h.paper.now.Add(time.Hour)}
	}
}

// known draws a document that there is, and says what using it should give.
func (h *errands) known() (string, *sheet, error) {
	key := h.key()
	s := h.open[key]
	switch {
	case s == nil:
		return key, &sheet{}, credit.ErrNotFound
	case !h.live(s):
		return key, s, credit.ErrEnded
	}
	return key, s, nil
}

func (h *errands) commit() {
	key, s, want := h.known()
	err := h.try(func(tx deskTx) error { _, err := tx.Commit(key); return err })
	h.agree("commit", err, want)
	if err == nil && s.stage == credit.Reserved {
		s.stage = credit.Ordered
	}
}

func (h *errands) pass() {
	from, s, want := h.known()
	key, n := h.key(), h.amount()
	if h.open[key] != nil || s.stage == credit.Delivered {
		return // what is wrong with these is tested by hand
	}
	stage := s.stage + 1
	err := h.try(func(tx deskTx) error {
		_, err := tx.Pass(from, credit.Request{Key: key, Amount: yuan(n), Stage: stage})
		return err
	})
	took := min(n, s.takes)
	if want == nil && !h.fits(s.customer, n-took) {
		want = credit.ErrRefused
	}
	h.agree("pass", err, want)
	if err != nil {
		return
	}
	s.takes -= took
	s.passed += took
	s.ended = s.stage == credit.Reserved && s.takes == 0
	h.open[key] = &sheet{customer: s.customer, stage: stage, amount: n, takes: n, from: from, took: took}
}

func (h *errands) change() {
	key, s, want := h.known()
	n := h.amount()
	err := h.try(func(tx deskTx) error { _, err := tx.Change(key, yuan(n), 0); return err })
	switch {
	case want != nil:
	case n < s.passed:
		want = credit.ErrInvalid
	case !h.fits(s.customer, n-s.passed-s.takes):
		want = credit.ErrRefused
	}
	h.agree("change", err, want)
	if err == nil {
		s.amount, s.takes = n, n-s.passed
	}
}

func (h *errands) release() {
	key, s, want := h.known()
	err := h.try(func(tx deskTx) error { _, err := tx.Release(key); return err })
	if want == credit.ErrEnded {
		want = nil // it changes nothing
	}
	h.agree("release", err, want)
	s.ended = true
}

func (h *errands) takeBack() {
	key, s, want := h.known()
	err := h.try(func(tx deskTx) error { _, err := tx.Return(key); return err })
	if want == credit.ErrEnded {
		h.agree("return", err, nil)
		return
	}
	h.agree("return", err, want)
	if from := h.open[s.from]; err == nil && from != nil && h.live(from) {
		back := min(s.took, s.takes)
		from.takes += back
		from.passed -= back
	}
	s.ended = true
}

func (h *errands) reopen() {
	key, s, want := h.known()
	n := h.amount()
	err := h.try(func(tx deskTx) error { _, err := tx.Reopen(key, yuan(n), 0); return err })
	switch {
	case want == nil:
		want = credit.ErrInvalid
	case want == credit.ErrEnded:
		want = nil
		if !h.fits(s.customer, n-s.passed) {
			want = credit.ErrRefused
		}
	}
	h.agree("reopen", err, want)
	if err == nil {
		s.ended, s.amount, s.takes, s.took, s.expires = false, n, max(0, n-s.passed), 0, h.paper.now.Add(time.Hour)
	}
}

// bill posts an invoice, of a delivery if there is one to take, or a payment.
func (h *errands) bill() {
	h.bills++
	document := fmt.Sprint("i", h.bills)
	key, s, want := h.known()
	n := h.amount()
	if want != nil || s.stage != credit.Delivered {
		id := h.pick()
		if rapid.Bool().Draw(h.r, "payment") {
			h.desk.pay(document, id, yuan(n))
			h.owes[id] -= n
		} else {
			h.desk.invoice(document, id, yuan(n), 30)
			h.owes[id] += n
		}
		return
	}
	h.do(func(tx deskTx) error {
		if _, err := tx.Pass(key, credit.Request{Key: document, Amount: yuan(n), Stage: credit.Invoiced}); err != nil {
			return err
		}
		_, err := tx.post(document, s.customer, yuan(n), h.today(), h.today()+30)
		return err
	})
	h.owes[s.customer] += n
	took := min(n, s.takes)
	s.takes -= took
	s.passed += took
}

// time lets time go by, moves a customer, or ends what has expired.
func (h *errands) time() {
	id := h.pick()
	switch rapid.IntRange(0, 3).Draw(h.r, "move") {
	case 0:
		h.desk.pass(40 * time.Minute)
		h.paper.now = h.clock()
	case 1:
		unit := customer.UnitID(rapid.IntRange(0, 2).Draw(h.r, "unit"))
		h.do(func(tx deskTx) error { _, err := tx.customers.Assign(id, unit, ""); return err })
		h.unit[id] = unit
	case 2:
		h.inGroup[id] = !h.inGroup[id]
		h.do(func(tx deskTx) error {
			if h.inGroup[id] {
				return errors.Join(tx.SetGroup(id, h.g), tx.RemoveLimit(credit.OfCustomer(id), credit.Limit{}))
			}
			return errors.Join(tx.SetGroup(id, 0), tx.SetLimit(credit.OfCustomer(id), credit.Limit{Amount: yuan(h.limit0())}))
		})
	default:
		if _, err := h.desk.credit.ExpireReservations(h.r.Context(), h.job()); err != nil {
			h.r.Fatal(err)
		}
	}
}

func (h *errands) limit0() int64 { return h.paper.limit }

func (h *errands) compare() {
	for _, id := range h.ids {
		h.wantUsed("customer", credit.OfCustomer(id), h.paper.used(func(c customer.ID) bool { return c == id }))
	}
	h.wantUsed("group", credit.OfGroup(h.g), h.paper.used(func(c customer.ID) bool { return h.inGroup[c] }))
	for unit := range customer.UnitID(3) {
		h.wantUsed("unit", credit.OfUnit(unit), h.paper.used(func(c customer.ID) bool { return h.unit[c] == unit }))
	}
	if h.t.Failed() {
		h.r.FailNow()
	}
}
