package credit

import (
	"encoding/binary"
	"fmt"
	"iter"

	"github.com/cespare/xxhash/v2"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// Verify reads items and allocations once, and compares with them everything that is
// derived: pages of open items, the log, accounts, figures and the book's totals. So
// buckets and what is unapplied add up to the balance, and balances to the control total.
// It calls report for each difference; those of customers come by customer. It runs in
// memory that doesn't grow with the book, but for the totals. Store.Verify of the storage
// compares records, indexes and journal.
func (s *Store) Verify(r *storage.Reader, report func(storage.Difference)) error {
	v := &verifier{Reader: s.Reader(r, nil), report: report, totals: map[string]int64{}, days: map[string]int64{}}
	if err := v.readRecords(); err != nil {
		return err
	}
	if err := v.readDerived(); err != nil {
		return err
	}
	if v.want != v.got {
		if err := v.nameCustomers(func(customer.ID) error { return nil }); err != nil {
			return err
		}
	}
	return v.compareTotals()
}

// sketch is a fingerprint of a set of postings and of sums by key, which comes out the
// same in whatever order and parts they are added. Two books that differ by accident have
// equal sketches with a probability of about 2⁻⁶⁴.
type sketch struct {
	open, log, accounts, figures uint64
}

// verifier compares what is derived with what was posted.
type verifier struct {
	*Reader
	report    func(storage.Difference)
	want, got sketch
	totals    map[string]int64 // open by total key, as it should be
	days      map[string]int64 // entries of the log by day, as they should be
	quiet     quietSums
	buf       []byte
}

// hash is a 64-bit hash of some numbers.
func (v *verifier) hash(numbers ...uint64) uint64 {
	v.buf = v.buf[:0]
	for _, n := range numbers {
		v.buf = binary.LittleEndian.AppendUint64(v.buf, n)
	}
	h := xxhash.Sum64(v.buf)
	return (h ^ h>>32) * 0x9fb21c651e98df25 // of xxh3: sums of raw hashes of similar keys are weaker
}

func (v *verifier) hashOpen(o *openItem) uint64 {
	return v.hash(1, uint64(o.customer), uint64(o.item), uint64(o.due), uint64(o.date), uint64(o.amount), uint64(o.currency), uint64(o.kind), uint64(o.side), uint64(o.contested))
}

func (v *verifier) hashEntry(log uint8, e *entry) uint64 {
	return v.hash(2, uint64(log), uint64(e.customer), uint64(e.item), uint64(e.due), uint64(e.date), uint64(e.amount), uint64(e.currency),
		uint64(e.kind), uint64(e.side), uint64(e.change), uint64(e.allocation), uint64(e.on), uint64(e.recorded))
}

// addBalance adds a balance: a sum of hash × amount is the same however it is split.
func (v *verifier) addBalance(to *sketch, id customer.ID, b *Balance) {
	for n, part := range [3]int64{b.Debits, b.Credits, b.Deposits} {
		to.accounts += v.hash(3, uint64(id), uint64(b.Currency), uint64(n)) * uint64(part)
	}
}

func (v *verifier) addFigures(to *sketch, id customer.ID, m *Figures) {
	for n, part := range m.numbers() {
		to.figures += v.hash(4, uint64(id), uint64(m.Month), uint64(m.Currency), uint64(n)) * uint64(*part)
	}
	to.figures += v.hash(5, uint64(id), uint64(m.Month), uint64(m.Currency)) * (m.AmountDaysLate.Low + 3*m.AmountDaysToPay.Low)
}

// addEntry counts an entry in what should be derived.
func (v *verifier) addEntry(p *posted) error {
	for _, key := range p.logKeys() {
		v.want.log += v.hashEntry(key.log, &p.entry)
	}
	v.days[string(dayKey(p.entry.on))]++
	b := Balance{Currency: p.currency}
	if err := b.add(&p.entry); err != nil {
		return err
	}
	v.addBalance(&v.want, p.customer, &b)
	m := Figures{Month: p.entry.on.Month(), Currency: p.currency}
	if err := m.add(&p.entry, p.settlement); err != nil {
		return err
	}
	v.addFigures(&v.want, p.customer, &m)
	return nil
}

// readRecords reads items in the order of their ids, with their allocations beside them.
func (v *verifier) readRecords() error {
	next, stop := iter.Pull2(v.store.allocation.Entries(v.storage, v.store.settles, kv.Range{}, false))
	defer stop()
	settled := &settling{verifier: v, next: next}
	settled.advance()
	for i, err := range v.store.item.Records(v.storage, kv.Range{}, false) {
		if err != nil {
			return err
		}
		open := i.open()
		own, err := v.posting(i)
		if err == nil {
			err = v.addEntry(&own)
		}
		if err != nil {
			return err
		}
		err = settled.each(i, func(p *posted) error {
			open.amount += p.amount
			return v.addEntry(p)
		})
		if err != nil {
			return err
		}
		if err := v.addOpen(i, &open); err != nil {
			return err
		}
	}
	return settled.err
}

func (v *verifier) addOpen(i *Item, open *openItem) error {
	switch {
	case open.amount < 0:
		v.report(storage.Difference{Where: "item", Key: fmt.Sprint(i.ID), Problem: "more is allocated than its amount"})
	case open.amount > 0:
		v.want.open += v.hashOpen(open)
	}
	if open.amount != 0 {
		v.totals[string(totalKey(open.side, open.currency, open.due))] += open.amount
	}
	return nil
}

// settling walks through the allocations by item.
type settling struct {
	*verifier
	next func() (storage.IndexEntry[AllocationID], error, bool)
	item ItemID // of the present entry, 0 at the end
	id   AllocationID
	err  error
}

func (s *settling) advance() {
	e, err, more := s.next()
	if !more || err != nil {
		s.item, s.err = 0, err
		return
	}
	item, rest, err := e.Key().CutUint()
	if err == nil {
		s.id, err = e.Primary(rest)
	}
	s.item, s.err = ItemID(item), err
}

// each calls f with an item's side of its allocations.
func (s *settling) each(i *Item, f func(*posted) error) error {
	for ; s.item != 0 && s.item <= i.ID && s.err == nil; s.advance() {
		if s.item < i.ID {
			s.report(storage.Difference{Where: "allocation", Key: fmt.Sprint(s.id), Problem: fmt.Sprintf("names item %d, which doesn't exist", s.item)})
			continue
		}
		a, err := s.allocation("verify", s.id)
		if err != nil {
			return err
		}
		p, err := s.sideOf(i, a)
		if err != nil {
			return err
		}
		if err := f(&p); err != nil {
			return err
		}
	}
	return s.err
}

// readDerived reads everything that is derived.
func (v *verifier) readDerived() error {
	for p, err := range v.store.open.Records(v.storage, kv.Range{}, false) {
		if err == nil {
			err = v.readOpen(p)
		}
		if err != nil {
			v.got.open ^= 1 // whatever the rest is, it differs
			v.report(storage.Difference{Where: "open_page", Key: "all", Problem: err.Error(), Derived: true})
		}
	}
	var last logKey
	for p, err := range v.store.log.Records(v.storage, kv.Range{}, false) {
		if err == nil {
			if p.key.number == 0 {
				v.endQuiet(last)
			}
			last = p.key
			err = v.readLog(p)
		}
		if err != nil {
			v.got.log ^= 1
			v.report(storage.Difference{Where: "log_page", Key: "all", Problem: err.Error(), Derived: true})
		}
	}
	v.endQuiet(last)
	for a, err := range v.store.account.Records(v.storage, kv.Range{}, false) {
		if err != nil {
			return err
		}
		for i := range a.balances {
			v.addBalance(&v.got, a.customer, &a.balances[i])
		}
	}
	for f, err := range v.store.figures.Records(v.storage, kv.Range{}, false) {
		if err != nil {
			return err
		}
		for i := range f.months {
			v.addFigures(&v.got, f.key.customer, &f.months[i])
		}
	}
	return nil
}

// readOpen counts a page of open items, whose order a look-up relies on.
func (v *verifier) readOpen(p *openPage) error {
	items, err := p.items()
	if err != nil {
		return err
	}
	last := p.key
	for n := range items {
		at := items[n].place()
		if at.compare(last) < 0 || n > 0 && at == last || blockOf(at.customer) != blockOf(p.key.customer) {
			return fmt.Errorf("%w: page %v has its items in disorder", errPage, p.key)
		}
		last = at
		v.got.open += v.hashOpen(&items[n])
	}
	return nil
}

func (v *verifier) readLog(p *logPage) error {
	var r logReader
	r.reset(p)
	on, recorded := p.on, p.recorded
	for r.next() {
		if p.quiet {
			v.quiet.add(&r.entry)
		}
		v.got.log += v.hashEntry(p.key.log, &r.entry)
		if r.entry.on > on || r.entry.recorded > recorded {
			return fmt.Errorf("%w: page %v doesn't tell its latest entry", errPage, p.key)
		}
	}
	return r.err()
}

// endQuiet ends the quiet pages of a block and month.
func (v *verifier) endQuiet(key logKey) {
	if len(v.quiet) > 0 {
		v.report(storage.Difference{Where: "log_page", Key: fmt.Sprint(key), Problem: "the entries of its quiet pages don't come to nothing", Derived: true})
	}
	v.quiet = nil
}

// quietSums are what the entries of quiet pages come to, by item, day and day of recording,
// where that is not nothing.
type quietSums map[quietKey]int64

type quietKey struct {
	item         ItemID
	on, recorded date.Date
}

func (q *quietSums) add(e *entry) {
	if *q == nil {
		*q = quietSums{}
	}
	key := quietKey{e.item, e.on, e.recorded}
	if (*q)[key] += e.amount; (*q)[key] == 0 {
		delete(*q, key)
	}
}

// compareTotals compares the book's totals with what is open, and the entries by day.
func (v *verifier) compareTotals() error {
	return v.eachTotal(func(c *storage.Counter, key string, stored, real int64) {
		v.report(storage.Difference{Where: c.Name, Key: fmt.Sprintf("% x", key), Problem: fmt.Sprintf("the total is %d, the records make %d", stored, real), Derived: true})
	})
}

// eachTotal calls f with the totals that differ from what items and allocations make.
func (v *verifier) eachTotal(f func(c *storage.Counter, key string, stored, real int64)) error {
	for _, t := range []struct {
		counter *storage.Counter
		want    map[string]int64
	}{{v.store.total, v.totals}, {v.store.days, v.days}} {
		err := t.counter.Scan(v.storage, kv.Range{}, func(key storage.Key, n int64) error {
			if real := t.want[string(key)]; n != real {
				f(t.counter, string(key), n, real)
			}
			delete(t.want, string(key))
			return nil
		})
		if err != nil {
			return err
		}
		for key, real := range t.want {
			f(t.counter, key, 0, real)
		}
	}
	return nil
}
