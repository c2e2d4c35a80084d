package customer

import (
	"strings"
	"time"
	"unicode"

	"github.com/clientele-go/clientele/internal/enum"
	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage"
)

// Action is what a journal entry says happened to a customer.
type Action uint8

const (
	Created     Action = 1
	Updated     Action = 2
	StatusSet   Action = 3 // suspended, or active again after a suspension
	ArchivedNow Action = 4
	Reactivated Action = 5
	ErasedNow   Action = 6
	MergedNow   Action = 7 // into a survivor
	Unmerged    Action = 8
	Transferred Action = 9  // to another owning unit or sales representative
	Absorbing   Action = 10 // another customer was merged into this one
	Separated   Action = 11 // such a merge was undone
)

var actionNames = enum.Names{"none", "created", "updated", "status set", "archived", "reactivated", "erased", "merged", "unmerged", "transferred", "absorbing", "separated"}

func (a Action) String() string { return actionNames.Of(uint8(a)) }

// The ids of this package's tables, indexes, sequences, counters and bitmaps in the key space.
const (
	TableCustomer = 1
	TableSchema   = 2
	tableHold     = 3
	tableEvent    = 4
	tableGolden   = 5

	sequenceID   = 1
	sequenceCode = 2

	counterEvent = 1
	tallyStatus  = 2
	tallyPlace   = 3
	tallyOwner   = 4
	tallyRep     = 5

	bitmapField = 1
)

// tables is the stored form of the package's data.
type tables struct {
	customer   *storage.Table[ID, *Customer]
	schema     *storage.Table[string, *Schema]
	hold       *storage.Table[ID, *Hold]
	lastEvent  *storage.Table[eventKey, *time.Time]
	golden     *storage.Table[ID, *composition]
	code       *storage.Index[*Customer]
	unique     *storage.Index[*Customer]
	shared     *storage.Index[*Customer]
	source     *storage.Index[*Customer]
	name       *storage.Index[*Customer]
	phone      *storage.Index[*Customer]
	email      *storage.Index[*Customer]
	owner      *storage.Index[*Customer]
	attribute  *storage.Index[*Customer]
	survivor   *storage.Index[*Customer]
	byStatus   *storage.Tally[*Customer]
	byPlace    *storage.Tally[*Customer]
	byOwner    *storage.Tally[*Customer]
	byRep      *storage.Tally[*Customer]
	marks      *storage.Bitmap[*Customer]
	ids, codes *storage.Sequence
	events     *storage.Counter
}

func newTables() *tables {
	t := &tables{
		code:      &storage.Index[*Customer]{ID: 1, Label: "code", Unique: true, Keys: codeKeys, Version: text.Fingerprint()},
		unique:    &storage.Index[*Customer]{ID: 2, Label: "identifier", Unique: true, Keys: identifierKeys(true)},
		shared:    &storage.Index[*Customer]{ID: 3, Label: "shared_identifier", Keys: identifierKeys(false)},
		source:    &storage.Index[*Customer]{ID: 4, Label: "source_key", Unique: true, Keys: sourceKeys},
		name:      &storage.Index[*Customer]{ID: 5, Label: "name", Keys: nameKeys, Version: text.Fingerprint(), Watched: true},
		phone:     &storage.Index[*Customer]{ID: 6, Label: "phone", Keys: phoneKeys},
		email:     &storage.Index[*Customer]{ID: 7, Label: "email", Keys: emailKeys, Version: unicode.Version},
		owner:     &storage.Index[*Customer]{ID: 8, Label: "owner_name", Keys: ownerKeys, Version: text.Fingerprint() + " 2", Watched: true},
		attribute: &storage.Index[*Customer]{ID: 9, Label: "attribute", Keys: attributeKeys, Version: text.Fingerprint()},
		survivor:  &storage.Index[*Customer]{ID: 10, Label: "survivor", Keys: survivorKeys},
		byStatus:  &storage.Tally[*Customer]{ID: tallyStatus, Label: "status_kind_party", Keys: statusKeys},
		byPlace:   &storage.Tally[*Customer]{ID: tallyPlace, Label: "status_place", Keys: placeKeys},
		byOwner:   &storage.Tally[*Customer]{ID: tallyOwner, Label: "owner", Keys: ownerCount},
		byRep:     &storage.Tally[*Customer]{ID: tallyRep, Label: "rep", Keys: repCount},
		marks:     &storage.Bitmap[*Customer]{ID: bitmapField, Label: "field", Keys: fieldKeys, Versioned: isOwnerKey, Version: text.Fingerprint() + " 2"},
		ids:       &storage.Sequence{ID: sequenceID, Name: "customer id", Block: 1024},
		codes:     &storage.Sequence{ID: sequenceCode, Name: "customer code", Block: 64},
		events:    &storage.Counter{ID: counterEvent, Name: "event", Key: "customer, type, month: events"},
	}
	t.customer = &storage.Table[ID, *Customer]{
		ID: TableCustomer, Label: "customer", Key: storage.UintKey[ID](), History: true, Numbers: t.ids,
		Indexes: []*storage.Index[*Customer]{t.code, t.unique, t.shared, t.source, t.name, t.phone, t.email, t.owner, t.attribute, t.survivor},
		Tallies: []*storage.Tally[*Customer]{t.byStatus, t.byPlace, t.byOwner, t.byRep},
		Bitmaps: []*storage.Bitmap[*Customer]{t.marks},
		Append:  appendCustomer, Decode: decodeCustomer,
	}
	t.schema = &storage.Table[string, *Schema]{
		ID: TableSchema, Label: "schema", Key: storage.StringKey[string](), History: true, Pinned: true,
		Append: appendSchema, Decode: schemaDecoder(),
	}
	t.hold = &storage.Table[ID, *Hold]{
		ID: tableHold, Label: "hold", Key: storage.UintKey[ID](), History: true,
		Append: appendHold, Decode: decodeHold,
	}
	t.lastEvent = &storage.Table[eventKey, *time.Time]{
		ID: tableEvent, Label: "last_event", Key: eventKeyCodec,
		Append: appendInstant, Decode: decodeInstant,
	}
	t.golden = &storage.Table[ID, *composition]{
		ID: tableGolden, Label: "golden", Key: storage.UintKey[ID](),
		Append: appendComposition, Decode: decodeComposition,
	}
	return t
}

// addTo adds the tables to a book's schema.
func (t *tables) addTo(s *storage.Schema) {
	s.Tables = append(s.Tables, t.customer, t.schema, t.hold, t.lastEvent, t.golden)
	s.Sequences = append(s.Sequences, t.ids, t.codes)
	s.Counters = append(s.Counters, t.events)
}

// codeKey is how codes are compared: letter case and width do not count.
func codeKey(code string) string { return text.Fold(code) }

func codeKeys(set *storage.KeySet, c *Customer) {
	if c.Code != "" {
		setFolded(set, c.Code).End()
	}
}

// setFolded is set.String(text.Fold(s)) without allocating.
func setFolded(set *storage.KeySet, s string) *storage.KeySet {
	var buf [128]byte
	return set.Bytes(text.AppendFold(buf[:0], s))
}

// identifierKeys depends on the stored record alone, so that a program that was opened
// with other schemes keeps the index right all the same.
func identifierKeys(unique bool) func(*storage.KeySet, *Customer) {
	return func(set *storage.KeySet, c *Customer) {
		for i := range c.Identifiers {
			if x := &c.Identifiers[i]; x.unique == unique && !x.moved {
				set.String(x.Scheme).String(x.Value).End()
			}
		}
	}
}

func sourceKeys(set *storage.KeySet, c *Customer) {
	for i := range c.SourceKeys {
		if x := &c.SourceKeys[i]; !x.moved {
			set.String(x.System).String(x.Key).End()
		}
	}
}

// nameKeys orders names as a Chinese reader expects, by pinyin, Latin names among
// them; customers that are no longer in lists have none.
func nameKeys(set *storage.KeySet, c *Customer) {
	if inNames(c) {
		set.In(&nameForm, c.Name).End()
	}
}

// inNames reports whether a customer is in lists by name.
func inNames(c *Customer) bool { return c.Status <= Suspended }

// nameForm orders names.
var nameForm = storage.Form{Append: appendNameOrder}

// maxNameOrder bounds the index key of a name; longer names differ beyond it, if at all.
const maxNameOrder = 120

func nameOrder(name string) string { return string(appendNameOrder(nil, name)) }

func appendNameOrder(dst []byte, name string) []byte {
	order := text.AppendPinyin(dst, name)
	return order[:min(len(order), len(dst)+maxNameOrder)]
}

func phoneKeys(set *storage.KeySet, c *Customer) {
	if c.Status == Merged {
		return
	}
	for i := range c.Phones {
		if x := &c.Phones[i]; x.E164 != "" {
			set.String(x.E164).End()
		}
	}
}

func emailKeys(set *storage.KeySet, c *Customer) {
	if c.Status == Merged {
		return
	}
	for i := range c.Emails {
		set.String(strings.ToLower(c.Emails[i].Address)).End()
	}
}

// ownerKeys orders the names of each unit's customers as nameKeys does those of all.
func ownerKeys(set *storage.KeySet, c *Customer) {
	if inNames(c) && c.Owner != 0 {
		set.Uint(uint64(c.Owner)).In(&nameForm, c.Name).End()
	}
}

func attributeKeys(set *storage.KeySet, c *Customer) {
	if c.Status == Merged {
		return
	}
	for i := range c.Attributes {
		a := &c.Attributes[i]
		if !a.indexed {
			continue
		}
		set.String(a.Name)
		valueKey(set, a.Value)
		set.End()
	}
}

// valueKey orders values of one type: texts by their folded form, numbers and dates
// by size, which needs the sign bit turned.
func valueKey(set *storage.KeySet, v Value) {
	if v.typ == Text || v.typ == Enum {
		setFolded(set, v.text)
		return
	}
	set.Uint(uint64(v.n) ^ 1<<63)
}

// survivorKeys finds the customers that were merged into another.
func survivorKeys(set *storage.KeySet, c *Customer) {
	if c.Status == Merged {
		set.Uint(uint64(c.Survivor)).End()
	}
}

func statusKeys(set *storage.KeySet, c *Customer) {
	set.Uint(uint64(c.Status)).Uint(uint64(c.Kind)).Uint(uint64(c.Party)).End()
}

// placeKeys counts a customer where its first address is.
func placeKeys(set *storage.KeySet, c *Customer) {
	var a Address
	if len(c.Addresses) > 0 {
		a = c.Addresses[0]
	}
	set.Uint(uint64(c.Status)).String(a.Country).String(a.Province).String(a.City).End()
}
