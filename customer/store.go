package customer

import (
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/clientele-go/clientele/customer/identifier"
	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// Options set what a book's customers are like. The zero value works.
type Options struct {
	// Schemes are identifier schemes beside the built-in ones.
	Schemes []identifier.Scheme
	// Country is the ISO 3166-1 alpha-2 country of customers that name none, for
	// reading phones and addresses; empty is "CN".
	Country string
	// Codes are the number ranges; without one for unit 0, C{seq:6} is.
	Codes []NumberRange
}

// Store describes how customers are kept. A program makes one for each book and
// hands it to the storage's schema; the root package does so.
type Store struct {
	*tables
	normaliser
	ranges     []numberRange
	head       headCache
	firstNames firstNames

	onEvent   func(tx *storage.Tx, id ID, e Event) error
	elsewhere func(r *storage.Reader, everybody *Reader, d *DuplicateError) error // nil without one
	placing   func(*storage.Reader) (func(owner UnitID) error, error)             // the same
}

// New checks the options.
func New(opts Options) (*Store, error) {
	schemes, err := identifier.NewSet(opts.Schemes...)
	if err != nil {
		return nil, err
	}
	if opts.Country == "" {
		opts.Country = "CN"
	}
	s := &Store{tables: newTables(), normaliser: normaliser{schemes: schemes, country: opts.Country}}
	general := false
	for _, n := range opts.Codes {
		r, err := newNumberRange(n)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(s.ranges, func(other numberRange) bool { return other.Owner == r.Owner }) {
			p := problems{}
			p.add("Codes", n.Template, CodeRepeated, fmt.Sprintf("is the second range of unit %d", n.Owner), "give each unit at most one")
			return nil, p.err()
		}
		s.ranges = append(s.ranges, r)
		general = general || n.Owner == 0
	}
	if !general {
		r, err := newNumberRange(NumberRange{})
		if err != nil {
			return nil, err
		}
		s.ranges = append(s.ranges, r)
	}
	return s, nil
}

// AddTo adds the tables to a book's schema.
func (s *Store) AddTo(schema *storage.Schema) { s.tables.addTo(schema) }

// Schemes returns the identifier schemes.
func (s *Store) Schemes() *identifier.Set { return s.schemes }

// Reader reads customers in one consistent state. Use it as long as the storage's
// reader, and from one goroutine.
type Reader struct {
	store   *Store
	storage *storage.Reader
	access  Access      // nil shows everything
	key     storage.Key // scratch
	fold    []byte      // scratch
}

// Reader returns the customers of a state, all of them; see [Store.ReaderWith].
func (s *Store) Reader(r *storage.Reader) *Reader { return &Reader{store: s, storage: r} }

// Tx changes customers within a transaction.
type Tx struct {
	Reader
	tx    *storage.Tx
	guard func(old, next *Customer) error // nil without one
	erase []func(ID) error
}

// Tx returns the customers of a transaction, all of them; see [Store.TxWith].
func (s *Store) Tx(tx *storage.Tx) *Tx {
	return &Tx{Reader: Reader{store: s, storage: &tx.Reader}, tx: tx}
}

func isNotFound(err error) bool { return errors.Is(err, storage.ErrNotFound) }

// errStop ends a scan whose consumer wants no more.
var errStop = errors.New("stop")

// Exact returns the record that has an id itself, in any status. For one that was merged
// it is what the record was then; see [Reader.Get]. It costs one read.
func (r *Reader) Exact(id ID) (*Customer, error) {
	c, err := r.stored(id)
	if err != nil || r.access == nil {
		return c, err
	}
	return r.shown(c)
}

// ByCode returns the customer with a code, which is compared as codes are for being unique:
// letter case, width, accents and the kind of punctuation don't count.
func (r *Reader) ByCode(code string) (*Customer, error) {
	r.fold = text.AppendFold(r.fold[:0], code)
	r.key = r.key[:0].String(string(r.fold))
	return r.lookup(r.store.code, r.key, "")
}

// ByIdentifier returns the customer with an identifier of a scheme that gives each
// number to one holder only. The value need not be in canonical form.
func (r *Reader) ByIdentifier(scheme, value string) (*Customer, error) {
	canonical, err := r.store.schemes.Parse(scheme, value)
	if err != nil {
		return nil, err
	}
	if s, _ := r.store.schemes.Scheme(scheme); !s.Unique {
		for c, err := range r.each(r.store.shared, storage.Key(nil).String(scheme).String(canonical), "identifier") {
			if err != nil {
				return nil, err
			}
			return r.Get(c.ID)
		}
		return nil, notFound("identifier", r.store.shown(&Identifier{Scheme: scheme, Value: value}))
	}
	return r.lookup(r.store.unique, storage.Key(nil).String(scheme).String(canonical), "identifier")
}

// BySourceKey returns the customer that another system knows by a key.
func (r *Reader) BySourceKey(system, key string) (*Customer, error) {
	return r.lookup(r.store.source, storage.Key(nil).String(system).String(key), "source")
}

// ByPhone yields the customers with a phone number in E.164 form.
func (r *Reader) ByPhone(e164 string) iter.Seq2[*Customer, error] {
	return r.each(r.store.phone, storage.Key(nil).String(e164), "phone")
}

// ByEmail yields the customers with an e-mail address; letter case does not count.
func (r *Reader) ByEmail(address string) iter.Seq2[*Customer, error] {
	set := storage.KeySet{}
	emailKeys(&set, &Customer{Emails: []Email{{Address: address}}})
	return r.each(r.store.email, set.Key(0), "email")
}

// ByAttribute yields the customers whose indexed attribute has a value.
func (r *Reader) ByAttribute(name string, v Value) iter.Seq2[*Customer, error] {
	set := storage.KeySet{}
	attributeKeys(&set, &Customer{Attributes: []Attribute{{Name: name, Value: v, indexed: true}}})
	return r.each(r.store.attribute, set.Key(0), attributeField+name)
}

// lookup returns the customer that a unique index has under the key of a field.
func (r *Reader) lookup(x *storage.Index[*Customer], key storage.Key, field string) (*Customer, error) {
	id, err := r.store.customer.Lookup(r.storage, x, key)
	if err != nil {
		return nil, err
	}
	c, err := r.follow(id, func(ID) {})
	if err != nil {
		return nil, err
	}
	if c, err = r.look(c, field); err == nil && c == nil {
		err = &storage.Error{Op: "look up", Table: "customer", Key: x.Label, Err: ErrNotFound} // as of a key that is not there
	}
	return c, err
}

// each yields the customers with an index key of a field, in id order.
func (r *Reader) each(x *storage.Index[*Customer], key storage.Key, field string) iter.Seq2[*Customer, error] {
	return func(yield func(*Customer, error) bool) {
		for e, err := range r.store.customer.Entries(r.storage, x, kv.Prefix(key), false) {
			var id ID
			var c *Customer
			if err == nil {
				id, err = e.Primary(e.Key()[len(key):])
			}
			if err == nil {
				c, err = r.byIndex(id, field)
			}
			if c == nil && err == nil {
				continue
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

func notFound(what, value string) error {
	return &storage.Error{Op: "look up", Table: "customer", Key: what + " " + value, Err: ErrNotFound}
}

// Order is an order of lists.
type Order uint8

const (
	ByID   Order = iota // the order of creation
	ByName              // Chinese names by pinyin, Latin names among them
	ByCode
)

// List says which customers to list, and in which order.
type List struct {
	Order    Order
	Reverse  bool
	Statuses []Status // empty is Active and Suspended
	From     string   // a cursor made by [List.After]; empty is the beginning
}

// After returns the cursor with which a later list, in the same order, goes on
// after c, whatever has been created or changed between.
func (l List) After(c *Customer) string {
	return base64.RawURLEncoding.EncodeToString(l.key(c))
}

func (l List) key(c *Customer) storage.Key {
	switch l.Order {
	case ByName:
		return storage.Key(nil).String(nameOrder(c.Name)).Uint(uint64(c.ID))
	case ByCode:
		return storage.Key(nil).String(codeKey(c.Code))
	}
	return storage.Key(nil).Uint(uint64(c.ID))
}

// bounds is the range of keys that is left after the cursor.
func (l List) bounds() (kv.Range, error) {
	if l.From == "" {
		return kv.Range{}, nil
	}
	key, err := base64.RawURLEncoding.DecodeString(l.From)
	if err != nil || len(key) == 0 {
		p := problems{}
		p.add("From", l.From, CodeMalformed, "is no cursor", "use what List.After returned")
		return kv.Range{}, p.err()
	}
	if l.Reverse {
		return kv.Range{Upper: key}, nil
	}
	return kv.Range{Lower: kv.Point(key).Upper}, nil
}

// List yields customers in order. ByName leaves out archived, merged and erased
// customers whatever the statuses. Its cost grows with what the loop takes.
func (r *Reader) List(l List) iter.Seq2[*Customer, error] {
	return func(yield func(*Customer, error) bool) {
		statuses := l.Statuses
		if len(statuses) == 0 {
			statuses = []Status{Active, Suspended}
		}
		keys, err := l.bounds()
		if err != nil {
			yield(nil, err)
			return
		}
		for c, err := range r.ordered(l, keys) {
			if err == nil && !slices.Contains(statuses, c.Status) {
				continue
			}
			if err == nil {
				c, err = r.stripped(c)
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

func (r *Reader) ordered(l List, keys kv.Range) iter.Seq2[*Customer, error] {
	if within := r.within(); within != nil {
		return r.orderedWithin(within, l, keys)
	}
	switch l.Order {
	case ByName:
		return r.indexed(r.store.name, keys, l.Reverse, everybody)
	case ByCode:
		return r.indexed(r.store.code, keys, l.Reverse, everybody)
	}
	return r.store.customer.Records(r.storage, keys, l.Reverse)
}

// indexed yields the customers of an index whose keys are one text, those that are among
// some.
func (r *Reader) indexed(x *storage.Index[*Customer], keys kv.Range, reverse bool, among func(ID) (bool, error)) iter.Seq2[*Customer, error] {
	return func(yield func(*Customer, error) bool) {
		for e, err := range r.store.customer.Entries(r.storage, x, keys, reverse) {
			var id ID
			var rest storage.Key
			if err == nil {
				rest, err = e.Key().SkipString()
			}
			if err == nil {
				id, err = e.Primary(rest)
			}
			in := false
			if err == nil {
				in, err = among(id)
			}
			if err == nil && !in {
				continue
			}
			var c *Customer
			if err == nil {
				c, err = r.store.customer.Get(r.storage, id)
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// Count is a number of customers of one status, kind and party.
type Count struct {
	Status Status
	Kind   Kind
	Party  Party
	N      int64
}

// Counts returns how many customers there are of each status, kind and party that
// occurs. It reads counters, not customers; for an actor who sees only some, it computes
// them from sets, which costs some 20 µs for each 65,536 customers.
func (r *Reader) Counts() ([]Count, error) {
	if within := r.within(); within != nil {
		return r.countsWithin(within)
	}
	var counts []Count
	err := r.store.byStatus.Scan(r.storage, kv.Range{}, func(key storage.Key, n int64) error {
		var parts [3]uint64
		for i := range parts {
			var err error
			if parts[i], key, err = key.CutUint(); err != nil {
				return err
			}
		}
		if n != 0 {
			counts = append(counts, Count{Status(parts[0]), Kind(parts[1]), Party(parts[2]), n})
		}
		return nil
	})
	return counts, err
}

// PlaceCount is a number of customers of one status whose first address is in one city.
type PlaceCount struct {
	Status                  Status
	Country, Province, City string
	N                       int64
}

// CountsByPlace returns how many customers of each status there are in each city. It
// reads counters, not customers; for an actor who sees only some, or not all addresses, it
// computes them from sets, which costs some milliseconds for each 65,536 customers.
func (r *Reader) CountsByPlace() ([]PlaceCount, error) {
	if within, placed := r.within(), r.withField("address"); within != nil || placed != nil {
		return r.placesWithin(within, placed)
	}
	var counts []PlaceCount
	err := r.store.byPlace.Scan(r.storage, kv.Range{}, func(key storage.Key, n int64) error {
		status, key, err := key.CutUint()
		if err != nil {
			return err
		}
		c := PlaceCount{Status: Status(status), N: n}
		for _, part := range []*string{&c.Country, &c.Province, &c.City} {
			if *part, key, err = key.CutString(); err != nil {
				return err
			}
		}
		if n != 0 {
			counts = append(counts, c)
		}
		return nil
	})
	return counts, err
}

// History yields all versions of a customer, oldest first. A version whose content
// was erased has the status Erased and only its ID, Version, Recorded and Actor. Who may
// see a customer as it is now may see how it came to be so, without what is hidden now.
func (r *Reader) History(id ID) iter.Seq2[*Customer, error] {
	return func(yield func(*Customer, error) bool) {
		mask, err := r.maskOf(id)
		if isNotFound(err) {
			return
		}
		if err != nil {
			yield(nil, err)
			return
		}
		for v, err := range r.store.customer.Versions(r.storage, id) {
			c := v.Value
			if err == nil && c == nil {
				c = &Customer{ID: id, Version: v.Version, Status: Erased, Recorded: v.Recorded, Actor: v.Actor}
			}
			if !yield(mask.Apply(c), err) || err != nil {
				return
			}
		}
	}
}

// At returns the customer as it was recorded at an instant, or an error that wraps
// ErrNotFound when it did not exist yet, ErrErased when that content was erased.
func (r *Reader) At(id ID, at time.Time) (*Customer, error) {
	return r.versionOf(id, func() (*Customer, error) { return r.store.customer.At(r.storage, id, at) })
}

// AtVersion returns one version of a customer, with the errors of At.
func (r *Reader) AtVersion(id ID, version uint64) (*Customer, error) {
	return r.versionOf(id, func() (*Customer, error) { return r.store.customer.AtVersion(r.storage, id, version) })
}

// Schema returns the book's attribute declarations and required fields. It is shared;
// don't change it.
func (r *Reader) Schema() (*Schema, error) {
	s, err := r.store.schema.Get(r.storage, schemaName)
	if isNotFound(err) {
		return &Schema{}, nil
	}
	return s, err
}

const schemaName = "customer"

// SetSchema replaces the book's schema. An attribute that was declared must stay, with
// its type; set Retired when it is not wanted any more. Records that exist are not
// checked until they are changed. Indexed holds for values stored from then on; see
// [Store.Reindex] for the others.
func (tx *Tx) SetSchema(s *Schema) error {
	if err := tx.PermitAll(RightAdminister, Identity); err != nil {
		return err
	}
	if err := s.Validate(); err != nil {
		return err
	}
	older, err := tx.Schema()
	if err != nil {
		return err
	}
	if err := s.compatible(older); err != nil {
		return err
	}
	return tx.store.schema.Put(tx.tx, schemaName, s.keeping(older), uint8(Updated))
}

// duplicateOf is duplicate for a customer's own change, which knows the code as given.
func (n *normaliser) duplicateOf(err error, c *Customer) error {
	err = n.duplicate(err)
	var d *DuplicateError
	if errors.As(err, &d) && d.Field == "Code" {
		d.Value = c.Code
	}
	return err
}

// duplicate turns a unique index's error into this package's.
func (n *normaliser) duplicate(err error) error {
	var unique *storage.UniqueError
	if !errors.As(err, &unique) || unique.Table != "customer" {
		return err
	}
	holder, _, cut := unique.Holder.CutUint()
	d := &DuplicateError{Holder: ID(holder)}
	first, rest, cut2 := unique.Key.CutString()
	if cut != nil || cut2 != nil {
		return err
	}
	switch unique.Index {
	case "code":
		d.Field, d.Value = "Code", first
	case "identifier":
		second, _, _ := rest.CutString()
		d.Field, d.Value = "Identifiers", n.shown(&Identifier{Scheme: first, Value: second})
	default:
		second, _, _ := rest.CutString()
		d.Field, d.Value = "SourceKeys", first+" "+second
	}
	return d
}
