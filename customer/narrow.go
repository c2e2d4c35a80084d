package customer

import (
	"reflect"
	"strings"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// A reader that is narrowed by an [Access] shows a book that consists of the customers
// which the actor sees, each without what is hidden from it: a customer out of sight is
// as one that does not exist, a hidden value as one that was never entered. Lists, counts,
// look-ups, history and errors all follow from that.

// ReaderWith returns the customers of a state as an actor may see them; a nil Access
// shows everything.
func (s *Store) ReaderWith(r *storage.Reader, a Access) *Reader {
	return &Reader{store: s, storage: r, access: a}
}

// TxWith returns the customers of a transaction as an actor may see and change them; a
// nil Access allows everything.
func (s *Store) TxWith(tx *storage.Tx, a Access) *Tx {
	return &Tx{Reader: Reader{store: s, storage: &tx.Reader, access: a}, tx: tx}
}

// Unscoped returns a reader of the same state that shows everything. It is for packages
// that keep figures in full, such as quotas and exposure: what they disclose is theirs to
// narrow.
func Unscoped(r *Reader) *Reader {
	if r.access == nil {
		return r
	}
	return &Reader{store: r.store, storage: r.storage}
}

// Beside returns a reader of everybody in the state that s reads, such as another goroutine's
// of the same state; see [storage.Reader.Beside].
func Beside(r *Reader, s *storage.Reader) *Reader { return &Reader{store: r.store, storage: s} }

// Access returns what the reader is narrowed by, nil for nothing. It is what other
// packages ask before they show or change what they keep of customers.
func (r *Reader) Access() Access { return r.access }

// AccessAt returns what an actor may see and do in a state of the book. The nil AccessAt
// is for everything.
type AccessAt func(*storage.Reader) (Access, error)

// In returns the access in a state, nil for everything.
func (f AccessAt) In(r *storage.Reader) (Access, error) {
	if f == nil {
		return nil, nil
	}
	return f(r)
}

// MayHide reports whether an access may hide a field of a customer that it shows.
func MayHide(a Access, field string) bool {
	if a == nil || maskBit(field) == 0 && !strings.HasPrefix(field, attributeField) {
		return false
	}
	shown, within := a.WithinUnmasked(field), a.Within()
	if shown == nil || within == nil {
		return shown != nil
	}
	same := reflect.TypeOf(shown).Comparable() && reflect.TypeOf(within).Comparable() && shown == within
	return !same
}

// Visible reports whether there is a customer with an id for the actor. It costs one
// read.
func (r *Reader) Visible(id ID) (bool, error) {
	_, err := r.stored(id)
	if isNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// Permit returns nil when the actor may do something with a kind of data of a customer.
// The error wraps ErrNotFound for a customer that is out of sight, exactly as for one
// that does not exist, and ErrDenied for what is not permitted.
func (r *Reader) Permit(right Right, data Data, id ID) error {
	c, err := r.stored(id)
	if err != nil || r.access == nil {
		return err
	}
	return r.access.Allows(right, data, c)
}

// PermitAll is Permit for what concerns no single customer, such as definitions.
func (r *Reader) PermitAll(right Right, data Data) error {
	if r.access == nil {
		return nil
	}
	return r.access.Allows(right, data, nil)
}

// stored returns a customer as it is stored, if the actor may know of it.
func (r *Reader) stored(id ID) (*Customer, error) {
	c, err := r.store.customer.Get(r.storage, id)
	if err != nil || r.access == nil {
		return c, err
	}
	sees, err := r.access.Sees(c)
	if err == nil && !sees {
		err = absent("get", id)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// absent is the storage's error about a customer that does not exist.
func absent(op string, id ID) error {
	return &storage.Error{Op: op, Table: "customer", Key: id.String(), Err: ErrNotFound}
}

// shown returns what the actor may see of a customer that it may know of.
func (r *Reader) shown(c *Customer) (*Customer, error) {
	if r.access == nil || c == nil {
		return c, nil
	}
	mask, err := r.access.Mask(c)
	if err != nil {
		return nil, err
	}
	return mask.Apply(c), nil
}

// stripped is shown of a customer that was just read, and is nobody else's: it is not copied.
func (r *Reader) stripped(c *Customer) (*Customer, error) {
	if r.access == nil {
		return c, nil
	}
	mask, err := r.access.Mask(c)
	if err != nil {
		return nil, err
	}
	mask.strip(c)
	return c, nil
}

// look returns a customer as the actor sees it by a field, nil when it is out of sight
// or the field is hidden; without a field only the former counts.
func (r *Reader) look(c *Customer, field string) (*Customer, error) {
	if r.access == nil {
		return c, nil
	}
	if sees, err := r.access.Sees(c); err != nil || !sees {
		return nil, err
	}
	mask, err := r.access.Mask(c)
	if err != nil || field != "" && mask.Hides(field) {
		return nil, err
	}
	return mask.Apply(c), nil
}

// byIndex returns the customer that stands for one which an index has under a key of a
// field, nil when it is not to be seen by that field.
func (r *Reader) byIndex(id ID, field string) (*Customer, error) {
	c, err := r.follow(id, func(ID) {})
	if err != nil {
		return nil, err
	}
	return r.look(c, field)
}

// maskOf returns what is hidden of a customer's versions.
func (r *Reader) maskOf(id ID) (Mask, error) {
	if r.access == nil {
		return Mask{}, nil
	}
	c, err := r.stored(id)
	if err != nil {
		return Mask{}, err
	}
	return r.access.Mask(c)
}

// versionOf returns the version of a customer that find does, as far as it is shown.
func (r *Reader) versionOf(id ID, find func() (*Customer, error)) (*Customer, error) {
	mask, err := r.maskOf(id)
	if isNotFound(err) {
		return nil, absent("history", id)
	}
	if err != nil {
		return nil, err
	}
	c, err := find()
	return mask.Apply(c), err
}

// members answers whether customers are in a set of an [Access], for loops over many
// of them: each of the set's chunks is read once.
type members struct {
	source bitset.Source // nil has everybody
	chunks []*bitset.Chunk
	spare  *bitset.Chunk
}

func membersOf(s bitset.Source) *members { return &members{source: s} }

func (m *members) has(id ID) (bool, error) {
	if m.source == nil {
		return true, nil
	}
	n := uint64(id) / bitset.ChunkSize
	if n < uint64(len(m.chunks)) && m.chunks[n] != nil {
		return m.chunks[n].Contains(uint16(id)), nil
	}
	c, err := m.read(n)
	return err == nil && c.Contains(uint16(id)), err
}

// read keeps a chunk.
func (m *members) read(n uint64) (*bitset.Chunk, error) {
	if n >= uint64(len(m.chunks)) {
		m.chunks = append(m.chunks, make([]*bitset.Chunk, n+1-uint64(len(m.chunks)))...)
	}
	if m.spare == nil {
		m.spare = new(bitset.Chunk)
	}
	c, err := bitset.Borrow(m.source, n, m.spare)
	if err != nil {
		return nil, err
	}
	if c == m.spare {
		m.spare = nil
	}
	m.chunks[n] = c
	return c, nil
}

// within returns whom the reader shows, nil for everybody.
func (r *Reader) within() bitset.Source {
	if r.access == nil {
		return nil
	}
	return r.access.Within()
}

// withField returns whose field the reader shows, nil for everybody's.
func (r *Reader) withField(name string) bitset.Source {
	if r.access == nil {
		return nil
	}
	return r.access.WithinUnmasked(name)
}

// maskedLists are the fields of a mask by how a [Problem] names them.
var maskedLists = map[string]string{
	"Identifiers": "identifier", "SourceKeys": "source", "Aliases": "alias", "Website": "website", "Note": "note", "Rep": "rep",
	"Phones": "phone", "Emails": "email", "Addresses": "address", "Contacts": "contact",
}

// withoutHidden takes the values of hidden fields out of an error about a record.
func withoutHidden(err error, mask Mask) error {
	invalid, ok := err.(*ValidationError)
	if !ok || mask.Empty() {
		return err
	}
	told := &ValidationError{}
	for _, p := range invalid.Problems {
		name, index, _ := strings.Cut(p.Field, "[")
		field := maskedLists[name]
		if name == "Attributes" {
			field = attributeField + strings.TrimSuffix(index, "]")
		}
		if field != "" && mask.Hides(field) {
			p = Problem{Field: name, Code: p.Code, Reason: "is not in order, and hidden from you", Remedy: "ask someone who sees it"}
		}
		told.Problems = append(told.Problems, p)
	}
	return told
}
