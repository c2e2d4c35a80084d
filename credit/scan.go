package credit

import (
	"iter"
	"runtime"
	"slices"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
)

// A report reads the book in units of so many neighbouring customers. The pages of a unit
// are read by the goroutine that has the reader, and decoded by all cores.
const unitBits = 14

type unitNumber uint64

func (n unitNumber) first() customer.ID { return customer.ID(n) << unitBits }
func (n unitNumber) end() customer.ID   { return customer.ID(n+1) << unitBits }

// unit is what was read of some neighbouring customers.
type unit struct {
	number unitNumber
	wanted *bitset.Chunk // of the chunk that the unit is in; nil for everybody
	count  int           // of the wanted
	pages  []*openPage
	logs   []*logPage
}

// has reports whether a customer of the unit is wanted.
func (u *unit) has(id customer.ID) bool {
	return u.wanted == nil || u.wanted.Contains(uint16(id%bitset.ChunkSize))
}

// customers is the most customers of whom the unit may have items.
func (u *unit) customers() int { return min(len(u.pages)<<blockBits, u.count) }

// view is what of the ledger a report sees.
type view struct {
	asOf    date.Date
	known   date.Date // date.Last for all that is known
	within  []bitset.Source
	unswept bool // all allocations are undone, whenever they were made
	entries bool // entries are wanted by themselves, also those that come to nothing together
}

// undoes reports whether an entry must be taken out of what is open now.
func (v *view) undoes(change Change, on, recorded date.Date) bool {
	return on > v.asOf || recorded > v.known || v.unswept && change != ItemPosted
}

// passes reports whether a page of the log holds nothing to undo.
func (v *view) passes(p *logPage) bool {
	return !v.unswept && (p.quiet && !v.entries || p.on <= v.asOf && p.recorded <= v.known)
}

// scanner reads units one after another.
type scanner struct {
	*Reader
	view
	logsOnly bool
	months   [lastLog][]date.Month // of the logs that may have something to undo
	end      unitNumber            // after the last unit
	chunk    *bitset.Chunk         // the present one
	at       uint64                // its number, 1 more
	other    *bitset.Chunk         // scratch
}

func (r *Reader) newScanner(v view) (*scanner, error) {
	s := &scanner{Reader: r, view: v}
	first := [...]date.Month{v.firstMonth(), v.known.Month()}
	for log := range s.months {
		if log >= logQuiet && !v.unswept && !v.entries {
			break
		}
		var err error
		if s.months[log], err = r.logMonths(uint8(log+logEffective), first[log%logQuiet]); err != nil {
			return nil, err
		}
	}
	if v.known == date.Last && !v.unswept {
		later, err := r.monthsAfter(v.asOf)
		if err != nil {
			return nil, err
		}
		for log := 0; log < lastLog; log += logQuiet {
			s.months[log] = slices.DeleteFunc(s.months[log], func(m date.Month) bool { return !later[m] })
		}
	}
	return s, s.findEnd()
}

// logMonths lists the months from one on of which a log has pages.
func (r *Reader) logMonths(log uint8, from date.Month) (months []date.Month, err error) {
	for {
		keys := kv.Range{Lower: appendLogKey(nil, logKey{log, from, 0, 0}), Upper: storage.Key(nil).Uint(uint64(log) + 1)}
		found := false
		for p, err := range r.store.log.Records(r.storage, keys, false) {
			if err != nil {
				return nil, err
			}
			months, from, found = append(months, p.key.month), p.key.month+1, true
			break
		}
		if !found {
			return months, nil
		}
	}
}

// findEnd finds the last customer that has pages or is wanted.
func (s *scanner) findEnd() error {
	last := customer.ID(0)
	for p, err := range s.store.account.Records(s.storage, kv.Range{}, true) {
		if err != nil {
			return err
		}
		last = p.customer
		break
	}
	s.end = unitNumber(last>>unitBits) + 1
	for _, source := range s.within {
		chunks, err := source.End()
		if err != nil {
			return err
		}
		s.end = min(s.end, unitNumber(chunks<<(16-unitBits)))
	}
	return nil
}

// wantedIn returns the wanted customers of a unit's chunk, nil for everybody, and how
// many of them are in the unit.
func (s *scanner) wantedIn(n unitNumber) (*bitset.Chunk, int, error) {
	if len(s.within) == 0 {
		return nil, 1 << unitBits, nil
	}
	number := uint64(n.first()) / bitset.ChunkSize
	if s.at != number+1 {
		s.chunk, s.at = new(bitset.Chunk), number+1 // units before may still be decoded
		for i, source := range s.within {
			if i == 0 {
				if err := source.Read(number, s.chunk); err != nil {
					return nil, 0, err
				}
				continue
			}
			if s.other == nil {
				s.other = new(bitset.Chunk)
			}
			if err := source.Read(number, s.other); err != nil {
				return nil, 0, err
			}
			s.chunk.And(s.other)
		}
	}
	count := 0
	from := uint16(n.first() % bitset.ChunkSize)
	for member := range s.chunk.From(from) {
		if int(member) >= int(from)+1<<unitBits {
			break
		}
		count++
	}
	return s.chunk, count, nil
}

// units yields the units in which somebody is wanted, with what there is to be read.
func (s *scanner) units() iter.Seq2[*unit, error] {
	return func(yield func(*unit, error) bool) {
		for n := unitNumber(0); n < s.end; n++ {
			if err := s.storage.Context().Err(); err != nil {
				yield(nil, err)
				return
			}
			u := &unit{number: n}
			var err error
			if u.wanted, u.count, err = s.wantedIn(n); err == nil && u.count > 0 {
				err = s.read(u)
			}
			if err != nil || len(u.pages)+len(u.logs) > 0 {
				if !yield(u, err) || err != nil {
					return
				}
			}
		}
	}
}

// fewMembers is the number of wanted customers in a unit up to which pages are looked up
// one by one, rather than read in a row.
const fewMembers = 1 << (unitBits - 6)

func (s *scanner) read(u *unit) error {
	if u.count <= fewMembers {
		return s.readFew(u)
	}
	from, to := u.number.first(), u.number.end()
	if !s.logsOnly {
		if err := s.readOpen(u, kv.Range{Lower: storage.Key(nil).Uint(uint64(from)), Upper: storage.Key(nil).Uint(uint64(to))}); err != nil {
			return err
		}
	}
	return s.eachMonth(func(log uint8, month date.Month) error {
		for p, err := range s.store.log.Records(s.storage, logRange(log, month, from, to), false) {
			if err != nil {
				return err
			}
			s.take(u, p)
		}
		return nil
	})
}

// readOpen reads the pages of open items of a range.
func (s *scanner) readOpen(u *unit, keys kv.Range) error {
	for p, err := range s.store.open.Records(s.storage, keys, false) {
		if err != nil {
			return err
		}
		u.pages = append(u.pages, p)
	}
	return nil
}

func (s *scanner) take(u *unit, p *logPage) {
	if !s.passes(p) {
		u.logs = append(u.logs, p)
	}
}

func (s *scanner) eachMonth(f func(log uint8, month date.Month) error) error {
	for log, months := range s.months {
		for _, month := range months {
			if err := f(uint8(log+logEffective), month); err != nil {
				return err
			}
		}
	}
	return nil
}

// readFew reads a unit of which few customers are wanted.
func (s *scanner) readFew(u *unit) error {
	block, logBlocks := u.number.end(), []customer.ID(nil)
	chunk := u.number.first() &^ (bitset.ChunkSize - 1)
	for member := range u.wanted.From(uint16(u.number.first() % bitset.ChunkSize)) {
		id := chunk + customer.ID(member)
		if id >= u.number.end() {
			break
		}
		if n := len(logBlocks); n == 0 || logBlocks[n-1] != logBlock(id) {
			logBlocks = append(logBlocks, logBlock(id))
		}
		if s.logsOnly || blockOf(id) == block {
			continue
		}
		block = blockOf(id)
		if err := s.readBlock(u, block); err != nil {
			return err
		}
	}
	return s.eachMonth(func(log uint8, month date.Month) error {
		for _, block := range logBlocks {
			if err := s.readLog(u, logKey{log, month, block, 0}); err != nil {
				return err
			}
		}
		return nil
	})
}

// readBlock reads the pages of a block.
func (s *scanner) readBlock(u *unit, block customer.ID) error {
	first, err := s.firstPage(block)
	if err != nil {
		return err
	}
	if first.count > 0 {
		u.pages = append(u.pages, first)
	}
	if !first.more {
		return nil
	}
	return s.readOpen(u, after(blockPages(first.key)))
}

// readLog reads the pages of a block and month.
func (s *scanner) readLog(u *unit, key logKey) error {
	first, err := s.logPage(key)
	if err != nil {
		return err
	}
	if first.count > 0 {
		s.take(u, first)
	}
	for key.number = 1; key.number <= first.last; key.number++ {
		p, err := s.logPage(key)
		if err != nil {
			return err
		}
		s.take(u, p)
	}
	return nil
}

// inOrder decodes units on all cores and yields the results in the order of units.
func inOrder[T any](units iter.Seq2[*unit, error], decode func(*unit) (T, error)) iter.Seq2[T, error] {
	type result struct {
		value T
		err   error
	}
	return func(yield func(T, error) bool) {
		var pending []chan result
		give := func() bool {
			done := <-pending[0]
			pending = pending[1:]
			return yield(done.value, done.err) && done.err == nil
		}
		for u, err := range units {
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			done := make(chan result, 1)
			go func() {
				value, err := decode(u)
				done <- result{value, err}
			}()
			if pending = append(pending, done); len(pending) > runtime.GOMAXPROCS(0) && !give() {
				return
			}
		}
		for len(pending) > 0 {
			if !give() {
				return
			}
		}
	}
}
