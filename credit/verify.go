package credit

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// Verify returns a check for [storage.Store.Verify]. It reads items and allocations
// once, and compares with them everything that is derived: pages of open items, the log,
// accounts, figures and the book's totals. So buckets and what is unapplied add up to the
// balance, and balances to the control total. It compares what is counted as exposure with
// accounts and reservations, too. It runs on all cores, in memory that doesn't grow with
// the book, but for the totals. Differences of customers come by customer.
func (s *Store) Verify(customers *customer.Store) storage.Check {
	return func(v *storage.Verification) error {
		c := &verification{store: s, customers: customers, sums: newVerifier(nil), quiet: map[logKey]quietSums{}}
		for _, t := range []struct {
			table storage.AnyTable
			read  func(*verifier, kv.Range) error
		}{
			{s.item, (*verifier).readItems},
			{s.open, (*verifier).readOpenPages},
			{s.log, (*verifier).readLogPages},
			{s.account, (*verifier).readAccounts},
			{s.figures, (*verifier).readFigures},
			{s.reservation, (*verifier).readReservations},
		} {
			if err := v.Split(t.table, c.part(t.table.Name(), t.read)); err != nil {
				return err
			}
		}
		v.Part("exposure", func(r *storage.Reader, report *storage.Report) error {
			return c.part("exposure", (*verifier).readExposure)(r, kv.Range{}, report)
		})
		v.Then("credit", c.compare)
		return nil
	}
}

// verification is what the parts of a verification found together.
type verification struct {
	store     *Store
	customers *customer.Store

	mu     sync.Mutex
	sums   *verifier
	quiet  map[logKey]quietSums // of the quiet pages of a block and month, where not nothing
	faults []fault
}

// fault is why a range of a table could not be read to its end.
type fault struct {
	table string
	from  []byte
	err   error
}

// part reads a range of a table by itself and joins what it found. Damage that ends its
// reading is kept, so that everything else is verified nevertheless.
func (c *verification) part(table string, read func(*verifier, kv.Range) error) func(*storage.Reader, kv.Range, *storage.Report) error {
	return func(r *storage.Reader, keys kv.Range, report *storage.Report) error {
		v := newVerifier(c.store.Reader(r, c.customers.Reader(r)))
		v.report = report.Add
		v.endGroup = c.endQuiet
		err := read(v, keys)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.sums.join(v)
		if isDamage(err) {
			c.faults = append(c.faults, fault{table, keys.Lower, err})
			return nil
		}
		return err
	}
}

// isDamage reports whether an error is about what is stored.
func isDamage(err error) bool {
	return errors.Is(err, storage.ErrCorrupt) || errors.Is(err, storage.ErrErased) || errors.Is(err, ErrOverflow) || isNotFound(err)
}

// compare reports what differs.
func (c *verification) compare(r *storage.Reader, report *storage.Report) error {
	if c.reportFaults(report) {
		return nil
	}
	c.reportQuiet(report)
	v := c.sums
	v.Reader, v.report = c.store.Reader(r, c.customers.Reader(r)), report.Add
	for _, p := range []*pageFault{&v.openFault, &v.logFault} {
		if p.err != nil {
			report.Add(storage.Difference{Where: p.table, Key: "all", Problem: p.err.Error(), Derived: true})
		}
	}
	if v.want.ledger() != v.got.ledger() || v.openFault.err != nil || v.logFault.err != nil {
		if err := v.nameCustomers(func(customer.ID) error { return nil }); err != nil {
			return err
		}
	}
	if err := v.compareTotals(); err != nil {
		return err
	}
	if v.want.exposure == v.got.exposure {
		return nil
	}
	return v.nameExposure()
}

// reportFaults reports, for each table, the first place where reading it ended: nothing
// can be said about what is derived then.
func (c *verification) reportFaults(report *storage.Report) bool {
	slices.SortFunc(c.faults, func(a, b fault) int {
		return cmp.Or(cmp.Compare(a.table, b.table), bytes.Compare(a.from, b.from))
	})
	table := ""
	for _, f := range c.faults {
		if f.table != table {
			report.Add(storage.Difference{Where: f.table, Key: "all", Problem: "receivables can't be verified: " + f.err.Error()})
		}
		table = f.table
	}
	return len(c.faults) > 0
}

// sketch is a fingerprint of a set of postings and of sums by key, which comes out the
// same in whatever order and parts they are added. Two books that differ by accident have
// equal sketches with a probability of about 2⁻⁶⁴.
type sketch struct {
	open, log, accounts, figures, exposure uint64
}

func (s *sketch) join(o sketch) {
	s.open += o.open
	s.log += o.log
	s.accounts += o.accounts
	s.figures += o.figures
	s.exposure += o.exposure
}

// ledger is the sketch without the exposure.
func (s sketch) ledger() sketch {
	s.exposure = 0
	return s
}

// verifier compares what is derived with what was posted, in a range of keys.
type verifier struct {
	*Reader
	report    func(storage.Difference)
	want, got sketch
	totals    map[string]int64 // open by total key, as it should be
	days      map[string]int64 // entries of the log by day, as they should be
	openFault pageFault
	logFault  pageFault
	quiet     quietSums
	endGroup  func(logKey, quietSums) // of quiet pages
}

// pageFault is why a page can't be right, the first in the order of keys.
type pageFault struct {
	table string
	from  []byte
	err   error
}

func (p *pageFault) join(o pageFault) {
	if o.err != nil && (p.err == nil || bytes.Compare(o.from, p.from) < 0) {
		*p = o
	}
}

func newVerifier(r *Reader) *verifier {
	return &verifier{Reader: r, report: func(storage.Difference) {}, totals: map[string]int64{}, days: map[string]int64{}, endGroup: func(logKey, quietSums) {}}
}

// join adds what was found in another range.
func (v *verifier) join(o *verifier) {
	v.want.join(o.want)
	v.got.join(o.got)
	for key, n := range o.totals {
		v.totals[key] += n
	}
	for key, n := range o.days {
		v.days[key] += n
	}
	v.openFault.join(o.openFault)
	v.logFault.join(o.logFault)
}

// hash is a 64-bit hash of some numbers, of which the first is not 0: a multiplication for
// each, and at the end the finaliser of MurmurHash3 (Appleby 2011).
func hash(numbers ...uint64) (h uint64) {
	for _, n := range numbers {
		h = (h ^ n) * 0x9fb21c651e98df25
		h ^= h >> 32
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

func (v *verifier) hashOpen(o *openItem) uint64 {
	return hash(1, uint64(o.customer), uint64(o.item), uint64(o.due), uint64(o.date), uint64(o.amount), uint64(o.currency), uint64(o.kind), uint64(o.side), uint64(o.contested))
}

func (v *verifier) hashEntry(log uint8, e *entry) uint64 {
	return hash(2, uint64(log), uint64(e.customer), uint64(e.item), uint64(e.due), uint64(e.date), uint64(e.amount), uint64(e.currency),
		uint64(e.kind), uint64(e.side), uint64(e.change), uint64(e.allocation), uint64(e.on), uint64(e.recorded))
}

// addBalance adds a balance: a sum of hash × amount is the same however it is split.
func (v *verifier) addBalance(to *sketch, id customer.ID, b *Balance) {
	for n, part := range [3]int64{b.Debits, b.Credits, b.Deposits} {
		to.accounts += hash(3, uint64(id), uint64(b.Currency), uint64(n)) * uint64(part)
	}
}

func (v *verifier) addFigures(to *sketch, id customer.ID, m *Figures) {
	for n, part := range m.numbers() {
		if *part != 0 {
			to.figures += hash(4, uint64(id), uint64(m.Month), uint64(m.Currency), uint64(n)) * uint64(*part)
		}
	}
	to.figures += hash(5, uint64(id), uint64(m.Month), uint64(m.Currency)) * (m.AmountDaysLate.Low + 3*m.AmountDaysToPay.Low)
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

// readOpenPages reads what is derived of open items.
func (v *verifier) readOpenPages(keys kv.Range) error {
	for p, err := range v.openPages(keys) {
		if err == nil {
			err = v.readOpen(p)
		}
		if err != nil && !isDamage(err) && !errors.Is(err, errPage) {
			return err
		}
		if err != nil {
			v.openFault.join(pageFault{"open_page", keys.Lower, err})
		}
	}
	return nil
}

// readLogPages reads the log. Quiet pages of one block and month may lie in several ranges.
func (v *verifier) readLogPages(keys kv.Range) error {
	var last logKey
	for p, err := range v.logPages(keys) {
		if p != nil {
			if group := p.key.first(); group != last {
				v.endQuiet(last)
				last = group
			}
		}
		if err == nil {
			err = v.readLog(p)
		}
		if err != nil && !isDamage(err) && !errors.Is(err, errPage) {
			return err
		}
		if err != nil {
			v.logFault.join(pageFault{"log_page", keys.Lower, err})
		}
	}
	v.endQuiet(last)
	return nil
}

// first is the key of the first page of the same block and month.
func (k logKey) first() logKey {
	k.number = 0
	return k
}

func (v *verifier) endQuiet(group logKey) {
	if len(v.quiet) > 0 {
		v.endGroup(group, v.quiet)
	}
	v.quiet = nil
}

// readAccounts reads balances, and adds up by group and unit what should be counted.
func (v *verifier) readAccounts(keys kv.Range) error {
	owners := newOwning(v.Reader)
	defer owners.close()
	for a, err := range v.store.account.Records(v.storage, keys, false) {
		if err != nil {
			return err
		}
		scopes, err := owners.of(a.customer)
		if err != nil {
			return err
		}
		for i := range a.balances {
			b := &a.balances[i]
			v.addBalance(&v.got, a.customer, b)
			for part, minor := range b.parts() {
				for _, s := range scopes {
					v.addExposure(&v.want, exposureKey{s, b.Currency, Part(part)}, minor)
				}
			}
		}
	}
	return nil
}

func (v *verifier) readFigures(keys kv.Range) error {
	for f, err := range v.store.figures.Records(v.storage, keys, false) {
		if err != nil {
			return err
		}
		for i := range f.months {
			v.addFigures(&v.got, f.key.customer, &f.months[i])
		}
	}
	return nil
}

// openPages yields pages of open items, with an error where their block's first one doesn't tell
// of them.
func (v *verifier) openPages(keys kv.Range) iter.Seq2[*openPage, error] {
	return func(yield func(*openPage, error) bool) {
		first := &openPage{key: openKey{item: 1}} // none
		for p, err := range v.store.open.Records(v.storage, keys, false) {
			if err == nil {
				first, err = v.firstOf(first, p)
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

// logPages is openPages for the log.
func (v *verifier) logPages(keys kv.Range) iter.Seq2[*logPage, error] {
	return func(yield func(*logPage, error) bool) {
		first := &logPage{} // none
		for p, err := range v.store.log.Records(v.storage, keys, false) {
			if err == nil {
				first, err = v.firstLog(first, p)
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

// firstOf returns the first page of a page's block, given that of the page before, and wants it
// to tell that there are others: readers of a few customers rely on that.
func (v *verifier) firstOf(before, p *openPage) (*openPage, error) {
	key := firstPage(p.key.customer)
	if p.key == key {
		return p, nil
	}
	if before.key != key { // in another range
		var err error
		if before, err = v.firstPage(key.customer); err != nil {
			return before, err
		}
	}
	if !before.more {
		return before, fmt.Errorf("%w: page %v doesn't tell of page %v", errPage, key, p.key)
	}
	return before, nil
}

// firstLog is firstOf for a page of the log, whose month's first page tells the last.
func (v *verifier) firstLog(before, p *logPage) (*logPage, error) {
	key := p.key.first()
	if p.key == key {
		return p, nil
	}
	if before.key != key {
		var err error
		if before, err = v.logPage(key); err != nil {
			return before, err
		}
	}
	if before.last < p.key.number {
		return before, fmt.Errorf("%w: page %v doesn't tell of page %v", errPage, key, p.key)
	}
	return before, nil
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
		v.got.log += v.hashEntry(p.key.sort(), &r.entry)
		if r.entry.on > on || r.entry.recorded > recorded {
			return fmt.Errorf("%w: page %v doesn't tell its latest entry", errPage, p.key)
		}
	}
	if err := r.err(); err != nil {
		return err
	}
	if p.tail != (logTail{r.entry.item, r.entry.due, r.allocation}) {
		return fmt.Errorf("%w: page %v doesn't tell its last entry", errPage, p.key)
	}
	return nil
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

// endQuiet adds what the quiet pages of a block and month come to in one range.
func (c *verification) endQuiet(group logKey, sums quietSums) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.quiet[group]
	if all == nil {
		all = quietSums{}
		c.quiet[group] = all
	}
	for key, n := range sums {
		if all[key] += n; all[key] == 0 {
			delete(all, key)
		}
	}
}

// reportQuiet reports the blocks and months whose quiet pages don't come to nothing.
func (c *verification) reportQuiet(report *storage.Report) {
	var groups []logKey
	for key, sums := range c.quiet {
		if len(sums) > 0 {
			groups = append(groups, key)
		}
	}
	slices.SortFunc(groups, func(a, b logKey) int { return bytes.Compare(appendLogKey(nil, a), appendLogKey(nil, b)) })
	for _, key := range groups {
		report.Add(storage.Difference{Where: "log_page", Key: fmt.Sprint(key), Problem: "the entries of its quiet pages don't come to nothing", Derived: true})
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
