package stocktake

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/enum"
)

// Definition says who counts, and by what the counted are divided. All that is given must
// hold for a customer to count. A record that was merged never counts: the one that stands
// for it does, once. An erased one doesn't either.
//
// Definitions are saved under a name, and every saved version is kept.
type Definition struct {
	Name    string         `json:"name"` // lower-case letters, digits, - and _; at most 60 bytes
	Version uint64         `json:"-"`    // 0 for one that was never saved
	Title   customer.Names `json:"title,omitempty"`

	Kinds    []customer.Kind   `json:"kinds,omitempty"`    // empty for all
	Parties  []customer.Party  `json:"parties,omitempty"`  // empty for all
	Statuses []customer.Status `json:"statuses,omitempty"` // empty for active and suspended
	// Filter is in the language of package tagging/filter: tags, fields, segments.
	Filter string `json:"filter,omitempty"`
	// Units are whose customers count, with all units below; empty for all.
	Units []customer.UnitID `json:"units,omitempty"`
	// Balance asks for receivables that are open at the instant, or for none.
	Balance Balance `json:"balance,omitempty"`
	// Bought asks for a purchase in some months before the instant; nil doesn't ask.
	Bought *Bought `json:"bought,omitempty"`

	// Activity divides the counted by when they bought last; nil doesn't.
	Activity *ActivityRule `json:"activity,omitempty"`
	// Dimensions are what tables are made by: status, kind, party, owner, rep, country,
	// province, city, created (by month), attr.NAME of an indexed enum or boolean, tag.CODE
	// of a dimension of tags.
	Dimensions []string `json:"dimensions,omitempty"`
	// CrossTabs are pairs of these.
	CrossTabs [][2]string `json:"cross_tabs,omitempty"`
	Cohorts   bool        `json:"cohorts,omitempty"`
	Aging     bool        `json:"aging,omitempty"`
	Revenue   *Measure    `json:"revenue,omitempty"`
	Profit    *Measure    `json:"profit,omitempty"`
	// Checks are codes of checks beside those that are always made; see [CheckCodes].
	Checks []string `json:"checks,omitempty"`
	// StaleMonths is after how many months without a change a record is stale; 0 is 24.
	StaleMonths int `json:"stale_months,omitempty"`

	// Zone names the time zone of the IANA database whose months, days and years are meant,
	// by the trend, the schedule and receivables; empty for UTC. For the year 2025 in
	// Asia/Shanghai ask from midnight to midnight there. Events and the month in which a
	// customer was created are kept by months and days in UTC.
	Zone string `json:"zone,omitempty"`
	// Every is how often the count is due; see [Reader.Due].
	Every Every `json:"every,omitempty"`
	// OnePerson lets one person make, adjust and approve a run, as there may be nobody else.
	// A run goes by the version of the definition that it was made under.
	OnePerson bool `json:"one_person,omitempty"`
	// Retired definitions are never due and can't be run.
	Retired bool `json:"retired,omitempty"`

	// Expanded is Filter with all segments replaced by what they were when the definition
	// was saved, so that a segment that is changed later doesn't change the count.
	Expanded string `json:"expanded,omitempty"`

	Recorded time.Time `json:"-"`
	Actor    string    `json:"-"`
	Reason   string    `json:"-"`

	unknown string
}

// Balance is what a definition asks of receivables.
type Balance uint8

const (
	AnyBalance Balance = iota
	WithBalance
	WithoutBalance
)

var balanceNames = enum.Names{"any", "with", "without"}

func (b Balance) String() string { return balanceNames.Of(uint8(b)) }

// MarshalText returns the lower-case English name, for JSON and maps.
func (b Balance) MarshalText() ([]byte, error) {
	return balanceNames.Marshal(uint8(b), "stocktake", "balance")
}

// UnmarshalText reads what MarshalText wrote.
func (b *Balance) UnmarshalText(text []byte) error {
	return balanceNames.Unmarshal(text, (*uint8)(b), "stocktake", "balance")
}

// Every is how often a count is due: at the ends of which calendar periods.
type Every uint8

const (
	Never Every = iota
	Monthly
	Quarterly
	Yearly
)

var everyNames = enum.Names{"never", "monthly", "quarterly", "yearly"}

func (e Every) String() string { return everyNames.Of(uint8(e)) }

// MarshalText returns the lower-case English name, for JSON and maps.
func (e Every) MarshalText() ([]byte, error) {
	return everyNames.Marshal(uint8(e), "stocktake", "schedule")
}

// UnmarshalText reads what MarshalText wrote.
func (e *Every) UnmarshalText(text []byte) error {
	return everyNames.Unmarshal(text, (*uint8)(e), "stocktake", "schedule")
}

// EventInvoice is the type of purchase, in Types, that the book's receivables tell about: an
// instalment of an invoice was posted, whatever was credited since, in the month of its
// date. Events that an embedder records under this name count as well. Receivables that
// the session doesn't see aren't counted.
const EventInvoice = "invoice"

// Bought asks for at least one purchase in the complete calendar months before an instant:
// before March 15, the months up to February. Events are kept by month, so no finer
// question has an answer that stays the same. Events are kept by months of UTC: in a zone
// ahead of it, those of the month that ends at the instant aren't counted until it has ended
// in UTC, too. Invoices are, by their dates.
type Bought struct {
	// Types are those of the events that are purchases, EventInvoice among them; empty for
	// every type of event, and invoices.
	Types  []string `json:"types,omitempty"`
	Months int      `json:"months"`
}

// ActivityRule divides customers by how many complete calendar months before the instant
// they bought last.
type ActivityRule struct {
	Types  []string `json:"types,omitempty"` // as in Bought
	Active int      `json:"active"`          // 0 is 3
	Lost   int      `json:"lost"`            // 0 is 12
}

// Measure is where a figure comes from.
type Measure struct {
	// Attribute is a custom attribute of type Number, in Currency. Empty, for revenue alone,
	// asks the book's receivables for what was invoiced, less credit notes, in Months
	// complete calendar months before the closing.
	Attribute string `json:"attribute,omitempty"`
	Currency  string `json:"currency,omitempty"` // ISO 4217; of an attribute
	Months    int    `json:"months,omitempty"`   // of receivables; 0 is 12
}

// The limits of a definition.
const (
	maxName       = 60
	maxDimensions = 20
	maxCrossTabs  = 10
	maxUnits      = 1000
	maxMonths     = 600
)

const opSave = "save definition"

// check reports what is wrong with a definition by itself.
func (d *Definition) check(op string) error {
	field := func(name string) string { return "Definition." + name }
	if len(d.Name) > maxName || d.Name == "" && op == opSave || !isName(d.Name) {
		return invalid(op, field("Name"), fmt.Sprintf("%q", d.Name), fmt.Sprintf("use 1 to %d lower-case letters, digits, - and _", maxName))
	}
	if err := d.Title.Validate(field("Title")); err != nil {
		return err
	}
	if _, err := d.location(op); err != nil {
		return err
	}
	if d.Balance > WithoutBalance {
		return invalid(op, field("Balance"), d.Balance.String(), "use any, with, without")
	}
	if d.Every > Yearly {
		return invalid(op, field("Every"), d.Every.String(), "use never, monthly, quarterly, yearly")
	}
	for _, s := range d.Statuses {
		if s > customer.Archived {
			return invalid(op, field("Statuses"), s.String(), "a merged record counts with the one that stands for it, an erased one not at all; use active, suspended, archived")
		}
	}
	for _, limit := range []struct {
		name    string
		n, most int
	}{
		{"Dimensions", len(d.Dimensions), maxDimensions}, {"CrossTabs", len(d.CrossTabs), maxCrossTabs}, {"Units", len(d.Units), maxUnits},
		{"StaleMonths", d.StaleMonths, maxMonths},
	} {
		if limit.n < 0 || limit.n > limit.most {
			return invalid(op, field(limit.name), fmt.Sprint(limit.n), fmt.Sprintf("use at most %d", limit.most))
		}
	}
	for _, pair := range d.CrossTabs {
		for _, code := range pair {
			if !slices.Contains(d.Dimensions, code) {
				return invalid(op, field("CrossTabs"), code, "name it in Dimensions as well")
			}
		}
	}
	for i, code := range d.Dimensions {
		if slices.Contains(d.Dimensions[:i], code) {
			return invalid(op, field("Dimensions"), code, "name it once")
		}
	}
	return d.checkActivity(op)
}

func (d *Definition) checkActivity(op string) error {
	if b := d.Bought; b != nil && (b.Months < 1 || b.Months > maxMonths) {
		return invalid(op, "Definition.Bought.Months", fmt.Sprint(b.Months), fmt.Sprintf("use 1 to %d", maxMonths))
	}
	if a := d.Activity; a != nil && (a.Active < 0 || a.active() >= a.lost() || a.Lost > maxMonths) {
		return invalid(op, "Definition.Activity", fmt.Sprintf("active %d, lost %d", a.active(), a.lost()), "use fewer months for active than for lost")
	}
	if err := errors.Join(d.Revenue.check(op, "Definition.Revenue"), d.Profit.check(op, "Definition.Profit")); err != nil {
		return err
	}
	if d.Profit != nil && d.Profit.Attribute == "" {
		return invalid(op, "Definition.Profit", "", "name the attribute that has it: the book's receivables tell what was invoiced, not what it cost")
	}
	for _, code := range d.Checks {
		if !slices.Contains(CheckCodes(), code) {
			return invalid(op, "Definition.Checks", code, fmt.Sprintf("use %v", CheckCodes()))
		}
	}
	return nil
}

func (m *Measure) check(op, field string) error {
	if m == nil {
		return nil
	}
	if m.Months < 0 || m.Months > maxMonths || m.Months > 0 && m.Attribute != "" {
		return invalid(op, field+".Months", fmt.Sprint(m.Months), fmt.Sprintf("use 1 to %d, for the book's receivables alone", maxMonths))
	}
	if m.Attribute == "" && m.Currency == "" {
		return nil
	}
	if _, err := money.ParseCurrency(m.Currency); err != nil || m.Attribute == "" {
		return invalid(op, field, strings.TrimSpace(m.Attribute+" "+m.Currency), "name a currency (ISO 4217) for an attribute, and for nothing else")
	}
	return nil
}

func (m *Measure) months() int {
	if m.Months == 0 {
		return 12
	}
	return m.Months
}

func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

func (a *ActivityRule) active() int {
	if a.Active == 0 {
		return 3
	}
	return a.Active
}

func (a *ActivityRule) lost() int {
	if a.Lost == 0 {
		return 12
	}
	return a.Lost
}

// asksReceivables reports whether the book's receivables are asked for.
func (d *Definition) asksReceivables() bool {
	return d.Balance != AnyBalance || d.Aging || d.Revenue != nil && d.Revenue.Attribute == ""
}

func (d *Definition) staleMonths() int {
	if d.StaleMonths == 0 {
		return 24
	}
	return d.StaleMonths
}

func (d *Definition) statuses() []customer.Status {
	if len(d.Statuses) == 0 {
		return []customer.Status{customer.Active, customer.Suspended}
	}
	return d.Statuses
}

// Templates returns definitions to begin with: all customers at the year's end, buyers
// with activity by month, prospects by representative, and debtors by quarter.
func Templates() []Definition {
	names := func(en, zh string) customer.Names { return customer.Names{"en": en, "zh-Hans": zh} }
	return []Definition{
		{
			Name: "year-end", Title: names("All customers at the year's end", "年末客户总盘点"), Every: Yearly,
			Dimensions: []string{"kind", "status", "owner", "rep", "province"}, CrossTabs: [][2]string{{"owner", "kind"}}, Cohorts: true,
		},
		{
			Name: "buyers-monthly", Title: names("Buyers by activity, monthly", "月度买方活跃盘点"), Every: Monthly,
			Kinds: []customer.Kind{customer.Buyer}, Activity: &ActivityRule{}, Dimensions: []string{"owner", "rep", "province"},
		},
		{
			Name: "prospects", Title: names("Prospects by representative", "潜在客户盘点"), Every: Monthly,
			Kinds: []customer.Kind{customer.Prospect}, Dimensions: []string{"rep", "owner", "created"},
		},
		{
			Name: "debtors", Title: names("Customers with an open balance", "有欠款客户盘点"), Every: Quarterly,
			Balance: WithBalance, Aging: true, Dimensions: []string{"owner", "province"},
		},
	}
}
