package customer

import (
	"strconv"
	"time"

	"github.com/clientele-go/clientele/internal/enum"
)

// ID identifies a customer for ever. Ids are dense and ascending from 1, so that
// sets of customers stay small; 0 is no customer. The shown number is [Customer.Code].
type ID uint64

// String returns the id in decimal.
func (id ID) String() string { return strconv.FormatUint(uint64(id), 10) }

// Customer is one version of a party that buys, may buy or is a partner.
//
// A Customer that a book returned belongs to the caller. Its strings are shared
// with nothing that changes; its slices may be edited and given to Update.
type Customer struct {
	ID      ID
	Version uint64 // 1 at creation, one more with each change
	Code    string // unique in the book; letter case, width, accents and the kind of punctuation don't count
	Kind    Kind
	Party   Party
	Status  Status

	Name    string   // as registered or as the person writes it
	Aliases []string // trade names, former names, names in other scripts
	Country string   // ISO 3166-1 alpha-2; the default for phones and addresses

	Identifiers []Identifier
	Phones      []Phone
	Emails      []Email
	Addresses   []Address
	Contacts    []Contact
	Website     string
	Note        string

	Owner UnitID // the owning unit of the organisation tree, 0 for none
	Rep   string // the principal id of the sales representative

	Attributes []Attribute // declared in the book's [Schema], in name order
	SourceKeys []SourceKey // the ids that other systems know this customer by

	Survivor ID  // the customer that stands for a merged one, 0 otherwise
	Absorbed int // how many others were merged into this one directly, and are still

	Created  time.Time // when version 1 was recorded, UTC, to the microsecond
	Recorded time.Time // when this version was recorded
	Actor    string    // who recorded this version
	Reason   string    // why

	former Status // of a merged one: its status before
	rest   string // fields that a newer program wrote
}

// UnitID is a node of the organisation tree; 0 is none.
type UnitID uint64

// Kind tells what the party is to the book's owner.
type Kind uint8

const (
	Buyer    Kind = iota // buys from us
	Prospect             // may buy
	Partner              // reseller, agent, affiliate
)

// Party tells what the party is by law.
type Party uint8

const (
	Organisation Party = iota
	Person
)

// Status is the stage of the record's life.
type Status uint8

const (
	Active    Status = iota
	Suspended        // kept in lists, no new business
	Archived         // out of lists, can be reactivated
	Merged           // stands for its survivor
	Erased           // personal data removed for good; the id stays
)

var (
	kindNames   = enum.Names{"buyer", "prospect", "partner"}
	partyNames  = enum.Names{"organisation", "person"}
	statusNames = enum.Names{"active", "suspended", "archived", "merged", "erased"}
)

func (k Kind) String() string   { return kindNames.Of(uint8(k)) }
func (p Party) String() string  { return partyNames.Of(uint8(p)) }
func (s Status) String() string { return statusNames.Of(uint8(s)) }

// MarshalText returns the lower-case English name, for JSON and maps.
func (k Kind) MarshalText() ([]byte, error) { return kindNames.Marshal(uint8(k), "customer", "kind") }
func (p Party) MarshalText() ([]byte, error) {
	return partyNames.Marshal(uint8(p), "customer", "party")
}
func (s Status) MarshalText() ([]byte, error) {
	return statusNames.Marshal(uint8(s), "customer", "status")
}

// UnmarshalText reads what MarshalText wrote.
func (k *Kind) UnmarshalText(text []byte) error {
	return kindNames.Unmarshal(text, (*uint8)(k), "customer", "kind")
}
func (p *Party) UnmarshalText(text []byte) error {
	return partyNames.Unmarshal(text, (*uint8)(p), "customer", "party")
}
func (s *Status) UnmarshalText(text []byte) error {
	return statusNames.Unmarshal(text, (*uint8)(s), "customer", "status")
}

// Identifier is a typed number that an authority issued. Scheme names one of the
// book's identifier schemes, for instance "cn.uscc"; Value is in the scheme's
// canonical form.
type Identifier struct {
	Scheme, Value string

	unique bool // as the scheme said when the value was stored
	moved  bool // of a merged customer: the survivor has it now
	rest   string
}

// Phone is a telephone number as given, and in E.164 when it could be understood.
type Phone struct {
	Label     string // "office", "mobile", "fax", or the user's own word
	Number    string // as given, cleaned
	E164      string // "+886225317099", or empty when not understood
	Extension string

	rest string
}

// Email is an e-mail address. Address keeps the given letter case.
type Email struct {
	Label, Address string

	rest string
}

// Address is a postal address. Text is the whole address as given; the parts are
// recognised from it for mainland China and Taiwan, or set by the caller.
type Address struct {
	Label    string
	Text     string
	Country  string // ISO 3166-1 alpha-2
	Province string
	City     string
	District string
	Division string // GB/T 2260 code of the deepest division recognised
	Postcode string

	rest string
}

// Contact is a person at the customer.
type Contact struct {
	Name, Role, Phone, Email string

	rest string
}

// SourceKey is the id that another system knows a customer by: one row of the
// crosswalk. A pair of system and key belongs to one customer at a time.
type SourceKey struct {
	System, Key string

	moved bool // of a merged customer: the survivor has it now
	rest  string
}

// Attribute is the value of a custom attribute that the book's [Schema] declares.
type Attribute struct {
	Name  string
	Value Value

	indexed bool // as the schema said when the value was stored
	rest    string
}

// AllStatuses returns every status, in order.
func AllStatuses() []Status { return []Status{Active, Suspended, Archived, Merged, Erased} }
