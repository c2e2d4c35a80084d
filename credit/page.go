package credit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// Open items are kept in pages in the order of customer, due day and item, so that a
// report reads them at the speed of memory. Sixteen neighbouring customers, a block,
// share pages with nobody else: a posting rewrites one page of its block, and
// transactions of other blocks don't meet it. A block begins with one page, whose key is
// that of the block; a page that outgrows its size is split.
const blockBits = 4

// pageSizes bound what a posting rewrites.
type pageSizes struct {
	open  int // items of a page; one with more is split
	join  int // neighbours of together at most so many items become one page
	small int // a page of fewer items looks for a neighbour to join
	log   int // entries of a page of the log
}

var usualSizes = pageSizes{open: 512, join: 384, small: 128, log: 256}

// openKey is the first place that a page may hold.
type openKey = place

func blockOf(id customer.ID) customer.ID { return id >> blockBits << blockBits }

// firstPage is the key of the first page of a customer's block.
func firstPage(id customer.ID) openKey { return openKey{customer: blockOf(id)} }

func appendOpenKey(dst storage.Key, k openKey) storage.Key {
	return dst.Uint(uint64(k.customer)).Uint(uint64(k.due)).Uint(uint64(k.item))
}

func decodeOpenKey(key storage.Key) (openKey, error) {
	n, err := cutUints(key, 3)
	return openKey{customer.ID(n[0]), date.Date(n[1]), ItemID(n[2])}, err
}

// cutUints splits a key of so many numbers.
func cutUints(key storage.Key, count int) (n [4]uint64, err error) {
	for i := range count {
		if n[i], key, err = key.CutUint(); err != nil {
			return n, err
		}
	}
	if len(key) > 0 {
		return n, fmt.Errorf("%w: %d bytes left over", errPage, len(key))
	}
	return n, nil
}

// errPage: the bytes are no page.
var errPage = errors.New("malformed page")

// openPage is a page as it is stored: some currencies, then groups of one customer's
// items, each with its length, so that a reader passes over customers that it doesn't
// want.
//
//	flags     1: the block has further pages; 2: of some item only a part is contested
//	count     uvarint, items in the page
//	n, n ×    uvarint: currencies of the page, in the order of first use
//	groups:   customer's number in the block, items, bytes (uvarints), then the items:
//	  head    kind, side << 4, disputed << 5, currency's number << 6
//	  due     uvarint, days since that of the item before, in a group from 0
//	  item    zigzag, less that of the item before, in a group from 0
//	  age     zigzag, days from the document's date to the due day
//	  amount  uvarint
//	  contested  uvarint, 0 for wholly; only of contested items, in pages with flag 2
type openPage struct {
	key   openKey
	more  bool
	parts bool // some item is contested in part
	count int
	body  string // from the currencies on
}

const (
	pageMore  = 1
	pageParts = 2

	headSide     = 4
	headDisputed = 5
	headCurrency = 6
)

func appendOpenPage(dst []byte, p *openPage) ([]byte, error) {
	flags := byte(0)
	if p.more {
		flags |= pageMore
	}
	if p.parts {
		flags |= pageParts
	}
	dst = binary.AppendUvarint(append(dst, flags), uint64(p.count))
	return append(dst, p.body...), nil
}

func decodeOpenPage(src string, k openKey, _ storage.Meta) (*openPage, error) {
	if src == "" {
		return nil, errPage
	}
	c := cursor{src: src[1:]}
	count := c.uvarint()
	if c.bad {
		return nil, errPage
	}
	return &openPage{key: k, more: src[0]&pageMore != 0, parts: src[0]&pageParts != 0, count: int(count), body: src[1+c.at:]}, nil
}

// currencies is the list of a page's currencies.
type currencies []money.Currency

func (l *currencies) read(c *cursor) {
	n := c.uvarint()
	if n > uint64(len(c.src)) {
		c.bad = true
		return
	}
	*l = (*l)[:0]
	for range n {
		*l = append(*l, money.Currency(c.uvarint()))
	}
}

// of returns the currency with a number; 0 for a number that the page doesn't have.
func (l currencies) of(number uint64) money.Currency {
	if number < uint64(len(l)) {
		return l[number]
	}
	return 0
}

func (l currencies) append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(l)))
	for _, c := range l {
		dst = binary.AppendUvarint(dst, uint64(c))
	}
	return dst
}

// number returns the number of a currency, which it adds if need be.
func (l *currencies) number(c money.Currency) uint64 {
	for i, known := range *l {
		if known == c {
			return uint64(i)
		}
	}
	*l = append(*l, c)
	return uint64(len(*l) - 1)
}

// openReader walks through a page without allocating.
type openReader struct {
	c          cursor
	currencies currencies
	block      customer.ID
	item       openItem // the present one
	left       uint64   // items left in the group
	behind     uint64   // items of the page behind the group
	end        int      // of the group
	parts      bool
}

// reset begins a page.
func (r *openReader) reset(p *openPage) {
	r.c = cursor{src: p.body}
	if p.body != "" { // a stored page has a list of currencies, if only an empty one
		r.currencies.read(&r.c)
	}
	r.block, r.left, r.behind, r.end, r.parts = blockOf(p.key.customer), 0, uint64(p.count), r.c.at, p.parts
}

// group moves to the next customer, past what is left of the present one.
func (r *openReader) group() bool {
	r.c.at = r.end
	if r.c.bad || r.end == len(r.c.src) {
		r.c.bad = r.c.bad || r.behind > 0
		return false
	}
	r.item = openItem{customer: r.block + customer.ID(r.c.uvarint())}
	r.left = r.c.uvarint()
	bytes := r.c.uvarint()
	start := r.c.at
	r.c.skip(bytes)
	r.end, r.c.at = r.c.at, start
	r.c.bad = r.c.bad || r.left == 0 || r.left > r.behind
	r.behind -= r.left
	return !r.c.bad
}

// next moves to the next item of the group.
func (r *openReader) next() bool {
	if r.left == 0 || r.c.bad {
		return false
	}
	r.left--
	src, at, i := r.c.src, r.c.at, &r.item
	head, at := uvarintAt(src, at)
	due, at := uvarintAt(src, at)
	item, at := uvarintAt(src, at)
	age, at := uvarintAt(src, at)
	amount, at := uvarintAt(src, at)
	r.c.moveTo(at)
	i.kind, i.side, i.contested = Kind(head&15), Debit+Side(head>>headSide&1), 0
	i.currency = r.currencies.of(head >> headCurrency)
	i.due += date.Date(due)
	i.item += ItemID(unzigzag(item))
	i.date = i.due - date.Date(unzigzag(age))
	i.amount = int64(amount)
	if head>>headDisputed&1 != 0 {
		i.contested = r.contested()
	}
	r.c.bad = r.c.bad || i.currency == 0 || r.left == 0 && r.c.at != r.end
	return !r.c.bad
}

// contested reads what of a contested item is.
func (r *openReader) contested() int64 {
	if r.parts {
		if part := r.c.uvarint(); part > 0 && part < wholly {
			return int64(part)
		}
	}
	return wholly
}

// err tells whether the page was malformed.
func (r *openReader) err(p *openPage) error {
	if r.c.bad {
		return &storage.Error{Op: "read", Table: "open_page", Key: fmt.Sprint(p.key), Err: fmt.Errorf("%w: %w", storage.ErrCorrupt, errPage)}
	}
	return nil
}

// items decodes a page.
func (p *openPage) items() ([]openItem, error) {
	list := make([]openItem, 0, max(0, min(p.count, len(p.body)))+1) // an item takes more than a byte; the count may be damaged
	var r openReader
	r.reset(p)
	for r.group() {
		for r.next() {
			list = append(list, r.item)
		}
	}
	return list, r.err(p)
}

// storedPart is the contested amount as pages have it: 0 for wholly, and for none.
func (o *openItem) storedPart() uint64 {
	if o.contested == wholly {
		return 0
	}
	return uint64(o.contested)
}

// newOpenPage encodes items, which are in order.
func newOpenPage(key openKey, more bool, items []openItem) *openPage {
	p := &openPage{key: key, more: more, count: len(items)}
	p.parts = slices.ContainsFunc(items, func(o openItem) bool { return o.storedPart() > 0 })
	var used currencies
	for i := range items {
		used.number(items[i].currency)
	}
	const usual = 12 // bytes of an item
	body := used.append(make([]byte, 0, usual*len(items)+64))
	group := make([]byte, 0, usual*len(items))
	block := blockOf(key.customer)
	for len(items) > 0 {
		n := 0
		last := openItem{}
		group = group[:0]
		for n < len(items) && items[n].customer == items[0].customer {
			group = p.appendItem(group, &items[n], &last, used.number(items[n].currency))
			last = items[n]
			n++
		}
		body = binary.AppendUvarint(body, uint64(items[0].customer-block))
		body = binary.AppendUvarint(body, uint64(n))
		body = append(binary.AppendUvarint(body, uint64(len(group))), group...)
		items = items[n:]
	}
	p.body = string(body)
	return p
}

// appendItem appends an item after the last one of its group.
func (p *openPage) appendItem(group []byte, i, last *openItem, currency uint64) []byte {
	head := uint64(i.kind) | uint64(i.side-Debit)<<headSide | currency<<headCurrency
	if i.contested > 0 {
		head |= 1 << headDisputed
	}
	group = binary.AppendUvarint(group, head)
	group = binary.AppendUvarint(group, uint64(i.due-last.due))
	group = binary.AppendVarint(group, int64(i.item-last.item))
	group = binary.AppendVarint(group, int64(i.due-i.date))
	group = binary.AppendUvarint(group, uint64(i.amount))
	if p.parts && i.contested > 0 {
		group = binary.AppendUvarint(group, i.storedPart())
	}
	return group
}
