package credit

import (
	"encoding/binary"
	"errors"
	"fmt"

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
//	flags     1: the block has further pages
//	count     uvarint, items in the page
//	n, n ×    uvarint: currencies of the page, in the order of first use
//	groups:   customer's number in the block, items, bytes (uvarints), then the items:
//	  head    kind, side << 4, disputed << 5, currency's number << 6
//	  due     uvarint, days since that of the item before, in a group from 0
//	  item    zigzag, less that of the item before, in a group from 0
//	  age     zigzag, days from the document's date to the due day
//	  amount  uvarint
type openPage struct {
	key   openKey
	more  bool
	count int
	body  string // from the currencies on
}

const (
	pageMore = 1

	headSide     = 4
	headDisputed = 5
	headCurrency = 6
)

func appendOpenPage(dst []byte, p *openPage) ([]byte, error) {
	flags := byte(0)
	if p.more {
		flags = pageMore
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
	return &openPage{key: k, more: src[0]&pageMore != 0, count: int(count), body: src[1+c.at:]}, nil
}

// cursor reads numbers from bytes. A malformed one makes it bad.
type cursor struct {
	src string
	at  int
	bad bool
}

func (c *cursor) uvarint() uint64 {
	if c.at < len(c.src) && c.src[c.at] < 0x80 {
		c.at++
		return uint64(c.src[c.at-1])
	}
	return c.long()
}

func (c *cursor) long() (n uint64) {
	for shift := 0; c.at < len(c.src) && shift < 64; shift += 7 {
		b := c.src[c.at]
		c.at++
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n
		}
	}
	c.bad = true
	return 0
}

func (c *cursor) varint() int64 {
	n := c.uvarint()
	return int64(n>>1) ^ -int64(n&1)
}

// skip passes over bytes.
func (c *cursor) skip(n uint64) {
	if n > uint64(len(c.src)-c.at) {
		c.bad = true
		n = uint64(len(c.src) - c.at)
	}
	c.at += int(n)
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
	end        int      // of the group
}

// reset begins a page.
func (r *openReader) reset(p *openPage) {
	r.c = cursor{src: p.body}
	if p.count > 0 {
		r.currencies.read(&r.c)
	}
	r.block, r.left, r.end = blockOf(p.key.customer), 0, r.c.at
}

// group moves to the next customer, past what is left of the present one.
func (r *openReader) group() bool {
	r.c.at = r.end
	if r.c.bad || r.end == len(r.c.src) {
		return false
	}
	r.item = openItem{customer: r.block + customer.ID(r.c.uvarint())}
	r.left = r.c.uvarint()
	bytes := r.c.uvarint()
	start := r.c.at
	r.c.skip(bytes)
	r.end, r.c.at = r.c.at, start
	return !r.c.bad
}

// next moves to the next item of the group.
func (r *openReader) next() bool {
	if r.left == 0 || r.c.bad {
		return false
	}
	r.left--
	head := r.c.uvarint()
	i := &r.item
	i.kind, i.side, i.disputed = Kind(head&15), Debit+Side(head>>headSide&1), head>>headDisputed&1 != 0
	i.currency = r.currencies.of(head >> headCurrency)
	i.due += date.Date(r.c.uvarint())
	i.item += ItemID(r.c.varint())
	i.date = i.due - date.Date(r.c.varint())
	i.amount = int64(r.c.uvarint())
	return !r.c.bad
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
	list := make([]openItem, 0, p.count+1)
	var r openReader
	r.reset(p)
	for r.group() {
		for r.next() {
			list = append(list, r.item)
		}
	}
	return list, r.err(p)
}

// newOpenPage encodes items, which are in order.
func newOpenPage(key openKey, more bool, items []openItem) *openPage {
	var used currencies
	var groups, group []byte
	count := len(items)
	block := blockOf(key.customer)
	for len(items) > 0 {
		n := 0
		last := openItem{}
		group = group[:0]
		for n < len(items) && items[n].customer == items[0].customer {
			i := &items[n]
			head := uint64(i.kind) | uint64(i.side-Debit)<<headSide | used.number(i.currency)<<headCurrency
			if i.disputed {
				head |= 1 << headDisputed
			}
			group = binary.AppendUvarint(group, head)
			group = binary.AppendUvarint(group, uint64(i.due-last.due))
			group = binary.AppendVarint(group, int64(i.item-last.item))
			group = binary.AppendVarint(group, int64(i.due-i.date))
			group = binary.AppendUvarint(group, uint64(i.amount))
			last = *i
			n++
		}
		groups = binary.AppendUvarint(groups, uint64(items[0].customer-block))
		groups = binary.AppendUvarint(groups, uint64(n))
		groups = append(binary.AppendUvarint(groups, uint64(len(group))), group...)
		items = items[n:]
	}
	p := &openPage{key: key, more: more, count: count}
	p.body = string(append(used.append(nil), groups...))
	return p
}
