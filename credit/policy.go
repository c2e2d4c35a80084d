package credit

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/enum"
	"github.com/clientele-go/clientele/storage"
)

// Part is one of the sums that make up an exposure.
type Part uint8

const (
	Debits       Part = 1 // open invoices and other debits
	Credits      Part = 2 // payments and credit notes not yet allocated, which lower it
	Deposits     Part = 3 // deposits, which lower it when counted
	Reservations Part = 4
	Orders       Part = 5 // not yet delivered or billed
	Deliveries   Part = 6 // not yet billed
)

var partNames = enum.Names{"none", "debits", "credits", "deposits", "reservations", "orders", "deliveries"}

func (p Part) String() string { return partNames.Of(uint8(p)) }

// Parts is a set of parts; make one by PartsOf.
type Parts uint64

// PartsOf returns a set of parts.
func PartsOf(parts ...Part) (set Parts) {
	for _, p := range parts {
		set |= 1 << p
	}
	return set
}

// Has reports whether a part is in the set.
func (s Parts) Has(p Part) bool { return s&(1<<p) != 0 }

// usualParts is everything but deposits, which secure something else.
var usualParts = PartsOf(Debits, Credits, Reservations, Orders, Deliveries)

// Policy says how documents of some customers are checked. A book has one, with the code
// "", and others for customers that are given them; see SetPolicyOf. The zero Policy
// counts everything but deposits, warns above 80 percent of a limit and stops above 100.
type Policy struct {
	Code  string
	Names customer.Names
	// Parts is what the exposure is made of; 0 is everything but deposits.
	Parts Parts
	// MarginDays are taken off the days that a debit is overdue, for banks to be slow in.
	MarginDays int64
	// Steps are the tests; none are the steps of the zero Policy.
	Steps []Step
	// WithoutLimit is what becomes of documents for which no limit is set anywhere.
	WithoutLimit Outcome
	// ReserveFor is how long a reservation lasts that doesn't say; 0 is an hour.
	ReserveFor time.Duration
	// OverrideRoles may override steps; none are all roles. OverrideFor is the longest that
	// an override may last; 0 is 31 days.
	OverrideRoles []string
	OverrideFor   time.Duration
	// LimitRules and OverrideRules route limits and overrides by amount; see ApprovalRule.
	// Those of the book's policy, "", count.
	LimitRules    []ApprovalRule
	OverrideRules []ApprovalRule
	// Dunning says how customers with the policy are dunned; the zero plan duns nobody.
	Dunning DunningPlan

	Version  uint64
	Recorded time.Time
	Actor    string
	Reason   string
	rest     string
}

// usualSteps are those of the zero Policy.
var usualSteps = []Step{
	{Kind: Utilisation, Above: 80, Outcome: Warn},
	{Kind: Utilisation, Above: 100, Outcome: Stop},
}

func (p *Policy) parts() Parts {
	if p.Parts == 0 {
		return usualParts
	}
	return p.Parts
}

func (p *Policy) steps() []Step {
	if len(p.Steps) == 0 {
		return usualSteps
	}
	return p.Steps
}

func (p *Policy) reserveFor() time.Duration {
	if p.ReserveFor == 0 {
		return time.Hour
	}
	return p.ReserveFor
}

func (p *Policy) overrideFor() time.Duration {
	if p.OverrideFor == 0 {
		return 31 * 24 * time.Hour
	}
	return p.OverrideFor
}

func (p *Policy) fields(x *wire) {
	wireNames(x, 1, &p.Names)
	wireUint(x, 2, &p.Parts)
	x.int(3, &p.MarginDays)
	wireList(x, 4, &p.Steps, func(x *wire, s *Step) {
		wireUint(x, 1, &s.Kind)
		x.int(2, &s.Above)
		wireUint(x, 3, &s.Outcome)
		wireUint(x, 4, &s.Currency)
	})
	wireUint(x, 5, &p.WithoutLimit)
	x.int(6, (*int64)(&p.ReserveFor))
	wireTexts(x, 7, &p.OverrideRoles)
	x.int(8, (*int64)(&p.OverrideFor))
	wireList(x, 9, &p.LimitRules, func(x *wire, r *ApprovalRule) { r.fields(x) })
	wireList(x, 10, &p.OverrideRules, func(x *wire, r *ApprovalRule) { r.fields(x) })
	x.nested(11, true, p.Dunning.fields)
}

func wireNames(x *wire, field int, names *customer.Names) {
	type name struct{ language, text string }
	var list []name
	for language, text := range *names {
		list = append(list, name{language, text})
	}
	slices.SortFunc(list, func(a, b name) int { return compareText(a.language, b.language) })
	before := len(list)
	wireList(x, field, &list, func(x *wire, n *name) {
		x.text(1, &n.language)
		x.text(2, &n.text)
	})
	for _, n := range list[min(before, len(list)):] {
		if *names == nil {
			*names = customer.Names{}
		}
		(*names)[n.language] = n.text
	}
}

func appendPolicy(dst []byte, p *Policy) ([]byte, error) { return encode(dst, p.rest, p.fields) }

func decodePolicy(src string, code string, m storage.Meta) (p *Policy, err error) {
	p = &Policy{Code: code, Version: m.Version, Recorded: m.Recorded, Actor: m.Actor, Reason: m.Reason}
	p.rest, err = decode(src, p.fields)
	return p, err
}

// Policy returns the policy with a code; the book's, "", is the zero Policy until it is
// set.
func (r *Reader) Policy(code string) (*Policy, error) {
	p, err := r.store.policy.Get(r.storage, code)
	if code == "" && isNotFound(err) {
		return &Policy{}, nil
	}
	return p, err
}

// Policies yields all policies by code.
func (r *Reader) Policies() iter.Seq2[*Policy, error] {
	return r.store.policy.Records(r.storage, allKeys, false)
}

// SetPolicy sets the policy with p's code. From the next check on it counts.
func (tx *Tx) SetPolicy(p Policy) error {
	if err := tx.allow(customer.RightAdminister, 0); err != nil {
		return err
	}
	if err := p.clean(); err != nil {
		return err
	}
	if old, err := tx.Policy(p.Code); err == nil {
		p.rest = old.rest
	} else if !isNotFound(err) {
		return err
	}
	return tx.store.policy.Put(tx.tx, p.Code, &p, uint8(PolicySet))
}

// Bounds of a policy's lists and spans.
const (
	maxSteps   = 100
	maxRules   = 100
	maxMargin  = 3660
	maxCode    = 60
	maxLasting = 10 * 366 * 24 * time.Hour
)

func (p *Policy) clean() error {
	const op = "set policy"
	fail := func(field string, value any, remedy string) error {
		return &Error{Op: op, Field: field, Value: fmt.Sprint(value), Remedy: remedy, Err: ErrInvalid}
	}
	if err := cleanText(op, 0, "Code", &p.Code, maxCode); err != nil {
		return err
	}
	if err := p.Names.Validate("Names"); err != nil {
		return err
	}
	switch {
	case p.Parts&^PartsOf(Debits, Credits, Deposits, Reservations, Orders, Deliveries) != 0:
		return fail("Parts", p.Parts, "use PartsOf")
	case p.MarginDays < 0 || p.MarginDays > maxMargin:
		return fail("MarginDays", p.MarginDays, "use 0 to 3660 days")
	case p.WithoutLimit > Stop:
		return fail("WithoutLimit", p.WithoutLimit, "use Pass, Warn, Hold or Stop")
	case p.ReserveFor < 0 || p.ReserveFor > maxLasting:
		return fail("ReserveFor", p.ReserveFor, "use 0 to ten years")
	case p.OverrideFor < 0 || p.OverrideFor > maxLasting:
		return fail("OverrideFor", p.OverrideFor, "use 0 to ten years")
	case max(len(p.Steps), len(p.OverrideRoles)) > maxSteps:
		return fail("Steps", len(p.Steps), "use at most 100 steps and roles")
	}
	for i, s := range p.Steps {
		if err := s.check(); err != "" {
			return fail(fmt.Sprintf("Steps[%d]", i), s.Kind, err)
		}
	}
	if remedy := p.Dunning.check(); remedy != "" {
		return fail("Dunning", len(p.Dunning.Levels), remedy)
	}
	if err := checkRules(op, "LimitRules", p.LimitRules); err != nil {
		return err
	}
	return checkRules(op, "OverrideRules", p.OverrideRules)
}

// check returns what would be right, "" for a step that is.
func (s Step) check() string {
	switch {
	case s.Kind < Utilisation || s.Kind > DunningLevel:
		return "use Utilisation, OldestOverdue, LargestDocument, PaymentBehaviour or DunningLevel"
	case s.Outcome < Warn || s.Outcome > Stop:
		return "let it Warn, Hold or Stop"
	case s.Above < 0 || s.Kind == Utilisation && s.Above > 1_000_000:
		return "use a threshold of 0 or more, and for utilisation at most 1,000,000 percent"
	case (s.Kind == LargestDocument) != s.Currency.Known():
		return "name a currency for LargestDocument, and for no other kind"
	}
	return ""
}
