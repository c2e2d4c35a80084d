package credit

import (
	"encoding/binary"
	"fmt"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// The log has every change of what is open, so that a report of another day is that of
// now with what doesn't count then undone: buckets are sums, and an entry tells all that
// is needed to take it out of one. Its cost follows what changed since, not the history.
//
// An entry stands under the month from which it counts. One that was recorded in a later
// month stands once more under that month, for reports as known on a former day.
// Sixty-four neighbouring customers share a page.
//
// What was posted and wholly settled in one day, as most payments are, comes to nothing in
// any report but one that ignores allocations. A load puts it into pages of its own, quiet
// ones, under numbers of logs that other reports don't read. Pages of a month that are quiet
// among its others, as loads once made them, are passed over.
const (
	logEffective = 1
	logRecorded  = 2
	logQuiet     = 2 // more than the number of the log whose quiet pages they are
	lastLog      = logRecorded + logQuiet

	logBlockBits = 6
)

// logKey is a page of the log: the first has number 0, and tells the last.
type logKey struct {
	log    uint8
	month  date.Month
	block  customer.ID // its first customer
	number uint64
}

// sort is the log's number, whether the page is quiet or not.
func (k logKey) sort() uint8 {
	if k.log > logRecorded {
		return k.log - logQuiet
	}
	return k.log
}

func logBlock(id customer.ID) customer.ID { return id >> logBlockBits << logBlockBits }

func appendLogKey(dst storage.Key, k logKey) storage.Key {
	return dst.Uint(uint64(k.log)).Uint(uint64(k.month)).Uint(uint64(k.block)).Uint(k.number)
}

func decodeLogKey(key storage.Key) (logKey, error) {
	n, err := cutUints(key, 4)
	return logKey{uint8(n[0]), date.Month(n[1]), customer.ID(n[2]), n[3]}, err
}

// logSection is the length of a key's log and month.
func logSection(key storage.Key) int {
	month := 1 + int(key[0])
	return month + 1 + int(key[month])
}

// logKeys returns the pages in which an entry stands, with their numbers left open.
func (e *entry) logKeys() []logKey {
	keys := []logKey{{logEffective, e.on.Month(), logBlock(e.customer), 0}}
	if recorded := e.recorded.Month(); recorded > e.on.Month() {
		keys = append(keys, logKey{logRecorded, recorded, logBlock(e.customer), 0})
	}
	return keys
}

// logPage is a page of the log as it is stored. Pages hold entries in the order in which
// they came; a load gives each page those of some days, in the order of customers.
//
//	last        uvarint: of the block's pages of the month, in the first page; in others 1
//	            when the page is quiet among those that aren't, otherwise 0
//	count       uvarint
//	latest on, latest recorded   uvarint: a page without later ones is passed over
//	item, due, allocation        uvarint: of the last entry, to go on from
//	currencies
//	entries:
//	  head        customer's number in the block, change << 6, currency's number << 8
//	  kind        and side << 4
//	  due, item   zigzag, less that of the entry before
//	  age         zigzag, days from the document's date to the due day
//	  on          zigzag, less the month's first day
//	  recorded    zigzag, less on
//	  amount      zigzag
//	  allocation  zigzag, less that of the entry before; not of a posted item
type logPage struct {
	key        logKey
	last       uint64
	quiet      bool // not of the first page of a log that isn't
	count      int
	on         date.Date
	recorded   date.Date
	tail       logTail
	currencies currencies
	body       string
	added      []byte // behind body, not yet stored
}

type logTail struct {
	item       ItemID
	due        date.Date
	allocation AllocationID
}

const (
	logChange   = logBlockBits
	logCurrency = logChange + changeBits
)

func appendLogPage(dst []byte, p *logPage) ([]byte, error) {
	last := p.last
	if p.quiet && p.key.log <= logRecorded {
		last = 1
	}
	for _, n := range [...]uint64{last, uint64(p.count), uint64(p.on), uint64(p.recorded), uint64(p.tail.item), uint64(p.tail.due), uint64(p.tail.allocation)} {
		dst = binary.AppendUvarint(dst, n)
	}
	return append(append(p.currencies.append(dst), p.body...), p.added...), nil
}

func decodeLogPage(src string, k logKey, _ storage.Meta) (*logPage, error) {
	c := cursor{src: src}
	p := &logPage{key: k}
	p.last, p.count = c.uvarint(), int(c.uvarint())
	if k.number > 0 {
		p.quiet, p.last = p.last > 0, 0
	}
	p.quiet = p.quiet || k.log > logRecorded
	p.on, p.recorded = date.Date(c.uvarint()), date.Date(c.uvarint())
	p.tail = logTail{ItemID(c.uvarint()), date.Date(c.uvarint()), AllocationID(c.uvarint())}
	p.currencies.read(&c)
	if c.bad {
		return nil, errPage
	}
	p.body = src[c.at:]
	if uint64(p.count) > uint64(len(p.body)) || p.count == 0 && p.body != "" {
		return nil, errPage
	}
	return p, nil
}

// add appends an entry.
func (p *logPage) add(e *entry) {
	head := uint64(e.customer-p.key.block) | uint64(e.change)<<logChange | p.currencies.number(e.currency)<<logCurrency
	b := binary.AppendUvarint(p.added, head)
	b = append(b, byte(e.kind)|byte(e.side-Debit)<<headSide)
	for _, n := range [...]int64{
		int64(e.due - p.tail.due), int64(e.item - p.tail.item), int64(e.due - e.date),
		int64(e.on - p.key.month.First()), int64(e.recorded - e.on), e.amount,
	} {
		b = binary.AppendVarint(b, n)
	}
	p.tail.due, p.tail.item = e.due, e.item
	if e.change != ItemPosted {
		b = binary.AppendVarint(b, int64(e.allocation-p.tail.allocation))
		p.tail.allocation = e.allocation
	}
	p.added = b
	p.count++
	p.on, p.recorded = max(p.on, e.on), max(p.recorded, e.recorded)
}

// logReader walks through a page of the log without allocating.
type logReader struct {
	c          cursor
	page       *logPage
	first      date.Date
	left       int
	allocation AllocationID // the last one met
	entry      entry        // the present one
}

func (r *logReader) reset(p *logPage) {
	*r = logReader{c: cursor{src: p.body}, page: p, first: p.key.month.First(), left: p.count}
}

// next moves to the next entry.
func (r *logReader) next() bool {
	if r.left == 0 || r.c.bad {
		return false
	}
	r.left--
	src, e := r.c.src, &r.entry
	head, at := uvarintAt(src, r.c.at)
	kind, at := uvarintAt(src, at)
	due, at := uvarintAt(src, at)
	item, at := uvarintAt(src, at)
	age, at := uvarintAt(src, at)
	on, at := uvarintAt(src, at)
	recorded, at := uvarintAt(src, at)
	amount, at := uvarintAt(src, at)
	e.customer = r.page.key.block + customer.ID(head&(1<<logBlockBits-1))
	e.change, e.currency = Change(head>>logChange&changeMask), r.page.currencies.of(head>>logCurrency)
	e.kind, e.side = Kind(kind&15), Debit+Side(kind>>headSide&1)
	e.due += date.Date(unzigzag(due))
	e.item += ItemID(unzigzag(item))
	e.date = e.due - date.Date(unzigzag(age))
	e.on = r.first + date.Date(unzigzag(on))
	e.recorded = e.on + date.Date(unzigzag(recorded))
	e.amount, e.allocation = unzigzag(amount), 0
	if e.change != ItemPosted {
		var allocation uint64
		allocation, at = uvarintAt(src, at)
		r.allocation += AllocationID(unzigzag(allocation))
		e.allocation = r.allocation
	}
	r.c.moveTo(at)
	r.c.bad = r.c.bad || e.currency == 0 || r.left == 0 && r.c.at != len(src)
	return !r.c.bad
}

// err tells whether the page was malformed.
func (r *logReader) err() error {
	if r.c.bad {
		return r.page.errAt(beyond)
	}
	return nil
}

// errAt tells whether a page was malformed, given the place behind its last entry.
func (p *logPage) errAt(at int) error {
	if at != len(p.body) {
		return &storage.Error{Op: "read", Table: "log_page", Key: fmt.Sprint(p.key), Err: fmt.Errorf("%w: %w", storage.ErrCorrupt, errPage)}
	}
	return nil
}

// logRange is the pages of a month for customers from one on up to another.
func logRange(log uint8, month date.Month, from, to customer.ID) kv.Range {
	return kv.Range{
		Lower: appendLogKey(nil, logKey{log, month, logBlock(from), 0}),
		Upper: appendLogKey(nil, logKey{log, month, logBlock(to-1) + 1<<logBlockBits, 0}),
	}
}

// logMonth is the pages of a month.
func logMonth(log uint8, month date.Month) kv.Range {
	return kv.Prefix(storage.Key(nil).Uint(uint64(log)).Uint(uint64(month)))
}

// appendLog adds entries behind those of a block and month.
func (tx *Tx) appendLog(key logKey, entries []*entry) error {
	first, err := tx.logPage(key)
	if err != nil {
		return err
	}
	page, grown := first, first.count == 0
	if first.last > 0 {
		key.number = first.last
		if page, err = tx.logPage(key); err != nil {
			return err
		}
	}
	for _, e := range entries {
		if page.count >= tx.store.sizes.log || page.quiet {
			if err := tx.putLog(page); err != nil {
				return err
			}
			first.last++
			grown = true
			key.number = first.last
			page = &logPage{key: key}
		}
		page.add(e)
	}
	if grown && page != first {
		if err := tx.putLog(first); err != nil {
			return err
		}
	}
	return tx.putLog(page)
}

func (tx *Tx) putLog(p *logPage) error { return tx.store.log.Put(tx.tx, p.key, p, uint8(Posted)) }

// logPage returns a page of the log, an empty one when there is none.
func (r *Reader) logPage(key logKey) (*logPage, error) {
	p, err := r.store.log.Get(r.storage, key)
	if isNotFound(err) {
		return &logPage{key: key}, nil
	}
	return p, err
}
