package stocktake

import (
	"time"

	"github.com/clientele-go/clientele/customer"
)

// ResultFormat is the version of the form in which results are stored and exported.
const ResultFormat = 1

// Result is what a run found: everything that a report shows. It is frozen: counting the
// same definition over the same period of the same journal gives an equal Result, and
// equal bytes as JSON. What people decided about it since stands in Filing, which no
// count fills in.
//
// All counts are of customers. Lists are never in random order: the order in the Result
// is the order to show.
type Result struct {
	Format     int    `json:"format"` // ResultFormat
	Book       string `json:"book"`   // the book's id
	Definition Frozen `json:"definition"`
	// Scoped tells that the counts are of what one actor may see, not of the whole book.
	Scoped bool `json:"scoped,omitempty"`

	Opening Instant `json:"opening"`
	Closing Instant `json:"closing"`

	Reconciliation Reconciliation `json:"reconciliation"`
	// Through counts those who counted at the end of a month in the period and at neither of
	// its ends; they are in none of the terms. Who came and went within one month is nowhere.
	Through int64  `json:"through"`
	Growth  Growth `json:"growth"`

	Trend      []Month     `json:"trend,omitempty"`    // by month, ascending; the last ends at the closing
	Activity   []Activity  `json:"activity,omitempty"` // by class, in the classes' order; empty when not asked for
	Dimensions []Dimension `json:"dimensions,omitempty"`
	CrossTabs  []CrossTab  `json:"cross_tabs,omitempty"`
	Cohorts    *Cohorts    `json:"cohorts,omitempty"`
	// Figures are revenue and profit of all counted customers.
	Figures []Figure `json:"figures,omitempty"`
	Aging   *Aging   `json:"aging,omitempty"` // nil when the book has no receivables, or they weren't asked for

	Checks     []Check     `json:"checks,omitempty"`
	Unusual    []Unusual   `json:"unusual,omitempty"`
	Comparison *Comparison `json:"comparison,omitempty"` // with another list; nil without one

	Filing *Filing `json:"filing,omitempty"`
}

// Frozen is the definition as it was when the run was made.
type Frozen struct {
	Name    string         `json:"name"`
	Version uint64         `json:"version"` // 0 for one that was never saved
	Title   customer.Names `json:"title,omitempty"`
	Zone    string         `json:"zone,omitempty"` // whose months and days are meant; empty for UTC
	// Rule says in words who counts, in each language that reports are made in.
	Rule customer.Names `json:"rule"`
	// Figures says where revenue and profit come from; empty without them.
	Figures customer.Names `json:"figures,omitempty"`
}

// Instant is a state of the book.
type Instant struct {
	Time time.Time `json:"time"` // UTC
	// Position is the number of the last journal entry that the state has: it says exactly
	// which state is meant, and proves with a journal head that it was so.
	Position uint64 `json:"position"`
}

// Reconciliation leads from the opening to the closing count:
//
//	opening + new + reactivated + unmerged + entered − merged − archived − erased − left = closing
//
// Each customer is in at most one term: the one that says why it counts at one end of the
// period and not at the other.
type Reconciliation struct {
	Opening     int64 `json:"opening"`
	New         int64 `json:"new"`         // created in the period
	Reactivated int64 `json:"reactivated"` // archived at the opening
	Unmerged    int64 `json:"unmerged"`    // stood for by another at the opening
	Entered     int64 `json:"entered"`     // came into the definition otherwise: by unit, tag, kind, a field
	Merged      int64 `json:"merged"`      // stood for by another at the closing
	Archived    int64 `json:"archived"`
	Erased      int64 `json:"erased"`
	Left        int64 `json:"left"` // left the definition otherwise
	Closing     int64 `json:"closing"`
}

// Balance is what the identity lacks: 0.
func (r *Reconciliation) Balance() int64 {
	return r.Opening + r.Gained() - r.Lost() - r.Closing
}

// Gained is how many count at the closing that did not at the opening.
func (r *Reconciliation) Gained() int64 { return r.New + r.Reactivated + r.Unmerged + r.Entered }

// Lost is how many counted at the opening and do not at the closing.
func (r *Reconciliation) Lost() int64 { return r.Merged + r.Archived + r.Erased + r.Left }

// Growth compares the closing with the opening count.
type Growth struct {
	Net int64 `json:"net"` // closing − opening
	// Rate is Net in hundredths of a percent of the opening, rounded half away from zero:
	// 1250 is 12.5 %. It is nil when the opening is 0.
	Rate *int64 `json:"rate,omitempty"`
}

// Month is one month of the period, which it may begin or end within.
type Month struct {
	Month string `json:"month"` // 2026-03, in the definition's zone
	Reconciliation
}

// Class is how a customer takes part in business.
type Class uint8

const (
	ClassNew       Class = iota // created in the period
	ClassActive                 // a purchase, as ActivityRule says, in the last Active months
	ClassReturning              // as active, and lost at the opening
	ClassDormant                // the last purchase is longer ago than Active months
	ClassLost                   // the last purchase is longer ago than Lost months
	ClassNever                  // no purchase
	classes
)

// Activity is how many customers are in a class. At the opening nobody is new or
// returning: those are active, dormant, lost or never were anything.
type Activity struct {
	Class   Class `json:"class"`
	Opening int64 `json:"opening"`
	Closing int64 `json:"closing"`
}

// Dimension is the composition by one axis.
type Dimension struct {
	Code  string         `json:"code"` // "status", "owner", "created", "tag.level", "attr.segment", …
	Title customer.Names `json:"title"`
	// Many tells that a customer can be in several rows, so that rows add up to more than
	// the total.
	Many bool  `json:"many,omitempty"`
	Rows []Row `json:"rows"`
	// Rest sums the rows up that were left out because there are more than MaxRows; nil
	// when there are none. Omitted is how many there are.
	Rest    *Row `json:"rest,omitempty"`
	Omitted int  `json:"omitted,omitempty"`
}

// MaxRows bounds the rows of a dimension; those with the most customers stay.
const MaxRows = 200

// Row is the customers with one value of a dimension:
//
//	opening + gained + moved in − lost − moved out = closing
type Row struct {
	Key   string         `json:"key"` // empty for none, see also KeyErased and KeyHidden
	Label customer.Names `json:"label"`

	Opening  int64 `json:"opening"`
	Gained   int64 `json:"gained"` // count at the closing and did not at the opening
	New      int64 `json:"new"`    // of those, created in the period
	Lost     int64 `json:"lost"`   // counted at the opening and don't at the closing
	MovedIn  int64 `json:"moved_in"`
	MovedOut int64 `json:"moved_out"`
	Closing  int64 `json:"closing"`

	Active  int64 `json:"active"` // at the closing; new and returning ones included
	Dormant int64 `json:"dormant"`
	Gone    int64 `json:"gone"` // at the closing in ClassLost or ClassNever

	Figures []Figure `json:"figures,omitempty"` // at the closing
}

const (
	// KeyErased is the key of the row of customers whose value at the opening was erased
	// since.
	KeyErased = "\x00erased"
	// KeyHidden is the key of the row of customers whose value the actor may not see.
	KeyHidden = "\x00hidden"
	// KeyRest is the key of the sum of what a table leaves out.
	KeyRest = "\x00rest"
)

// Figure is an amount of money. A list has one for each name and currency, in this order.
type Figure struct {
	Name      string `json:"name"` // FigureRevenue or FigureProfit
	Currency  string `json:"currency"`
	Amount    int64  `json:"amount"` // in the currency's minor units
	Customers int64  `json:"customers"`
}

// The names of figures.
const (
	FigureRevenue = "revenue"
	FigureProfit  = "profit"
)

// CrossTab counts customers at the closing by two dimensions.
type CrossTab struct {
	Rows        string           `json:"rows"` // the dimensions' codes
	Columns     string           `json:"columns"`
	RowTitle    customer.Names   `json:"row_title"`
	ColumnTitle customer.Names   `json:"column_title"`
	RowKeys     []string         `json:"row_keys"`
	RowLabels   []customer.Names `json:"row_labels"`
	ColumnKeys  []string         `json:"column_keys"`
	ColLabels   []customer.Names `json:"column_labels"`
	Cells       [][]int64        `json:"cells"` // by row, then column
}

// Cohorts tells how many of the customers created in one month still counted at the ends
// of later ones.
type Cohorts struct {
	Rows []Cohort `json:"rows"` // by month, ascending
}

// Cohort is the customers created in one month.
type Cohort struct {
	Month   string `json:"month"`   // 2026-03
	Created int64  `json:"created"` // that counted at the end of this month
	// Kept is how many of them counted at the end of the month and the ends of those after
	// it; Kept[0] is Created.
	Kept []int64 `json:"kept"`
}

// Aging sums up the counted customers' receivables at the closing.
type Aging struct {
	Currencies []AgingRow       `json:"currencies"`
	Buckets    []customer.Names `json:"buckets"` // the columns' titles, from not due to oldest
}

// AgingRow is the receivables in one currency, in minor units.
type AgingRow struct {
	Currency  string  `json:"currency"`
	Buckets   []int64 `json:"buckets"`
	Unapplied int64   `json:"unapplied"` // not positive: credits that settle nothing yet
	Balance   int64   `json:"balance"`   // Buckets and Unapplied together
	Customers int64   `json:"customers"` // with a balance or an open item
}

// Severity is how much a finding matters.
type Severity uint8

const (
	Note Severity = iota
	Warning
	Problem
)

// Check is one question to the quality of the data.
type Check struct {
	Code     string         `json:"code"` // stable
	Title    customer.Names `json:"title"`
	Severity Severity       `json:"severity"` // of the finding when Count is not 0
	Count    int64          `json:"count"`    // customers found; 0 is well
	Of       int64          `json:"of"`       // customers looked at
	// Sample is up to MaxSample of them, by id.
	Sample      []Sample       `json:"sample,omitempty"`
	Explanation customer.Names `json:"explanation"`
}

// MaxSample bounds the sample of a check.
const MaxSample = 20

// Sample is a customer that a check found.
type Sample struct {
	ID   customer.ID `json:"id"`
	Code string      `json:"customer_code"`
	Name string      `json:"name"`
	Note string      `json:"note,omitempty"` // what is wrong with it: field and reason
}

// Unusual is a movement that differs from what was usual: by the modified z-score of
// Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993): 0.6745·(x − median)/MAD,
// beyond ±3.5.
type Unusual struct {
	Term   string `json:"term"`            // a reconciliation's JSON name: "new", "archived", …
	Month  string `json:"month,omitempty"` // of the trend; empty for the whole period
	Value  int64  `json:"value"`
	Median int64  `json:"median"` // of the months or runs compared with
	MAD    int64  `json:"mad"`    // median absolute deviation
	// Score is the modified z-score in hundredths: 350 is 3.5.
	Score       int64          `json:"score"`
	Compared    int            `json:"compared"` // months or runs
	Explanation customer.Names `json:"explanation"`
}

// Comparison is the counted customers beside another system's list.
type Comparison struct {
	Name      string       `json:"name"` // of the other list
	Rows      int64        `json:"rows"`
	Matched   int64        `json:"matched"`    // customers that are in both
	OnlyHere  int64        `json:"only_here"`  // customers that the other list lacks
	OnlyThere int64        `json:"only_there"` // rows that no counted customer fits
	Doubtful  int64        `json:"doubtful"`   // rows that somebody has to look at
	Repeated  int64        `json:"repeated"`   // further rows of a customer that another row fits too
	Differing []Difference `json:"differing,omitempty"`
	// HereSample and ThereSample are up to MaxSample of what is in one list only.
	HereSample  []Sample `json:"here_sample,omitempty"`
	ThereSample []string `json:"there_sample,omitempty"`
}

// Difference is a field in which matched pairs differ.
type Difference struct {
	Field  string   `json:"field"`
	Count  int64    `json:"count"`
	Sample []Sample `json:"sample,omitempty"`
}

// State is how far a run has come.
type State uint8

const (
	Draft State = iota
	Review
	Approved
	Signed
	Filed // archived: kept, and no longer in lists of open work
)

// Filing is what people decided about a run.
type Filing struct {
	Run     RunID     `json:"run"`
	State   State     `json:"state"`
	Made    time.Time `json:"made"`
	MadeBy  string    `json:"made_by"`
	Digest  string    `json:"digest"` // SHA-256 of the Result without its Filing, in hexadecimal
	History []Step    `json:"history,omitempty"`
	// Adjustments correct the closing count by what is known outside the book.
	Adjustments []Adjustment `json:"adjustments,omitempty"`
	Adjusted    int64        `json:"adjusted"` // closing and all adjustments
	Signatures  []Signature  `json:"signatures,omitempty"`
}

// RunID numbers the runs of a book from 1.
type RunID uint64

// Step is one change of a run's state.
type Step struct {
	To     State     `json:"to"`
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
}

// Adjustment changes the closing count.
type Adjustment struct {
	N      int64     `json:"n"` // customers more, or less when negative
	Reason string    `json:"reason"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

// Signature is who vouches for a run, bound to the state of the journal: whoever holds it
// can show later that neither run nor book before it was changed.
type Signature struct {
	By     string    `json:"by"`
	Role   string    `json:"role,omitempty"` // in what capacity
	At     time.Time `json:"at"`
	Digest string    `json:"digest"` // of what was signed: result and adjustments
	// Position and Root are the journal's head when it was signed.
	Position uint64 `json:"position"`
	Root     string `json:"root"` // base64
}
