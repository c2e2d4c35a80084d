package credit

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
)

// Finding is one step that had something to say.
type Finding struct {
	Step    StepKind
	Outcome Outcome // after overrides
	Scope   Scope   // whose limit, for Utilisation
	// Unit is the one whose overlay of the customer sets the limit, 0 for the customer's own.
	Unit  customer.UnitID
	Value int64 // what was found: percent, days, minor units, level
	Above int64 // the step's threshold
	// Override is what made the outcome milder, 0 for none.
	Override OverrideID
	// Hidden says that the session may not see the figures, which are then 0.
	Hidden bool
}

func (f *Finding) fields(x *wire) {
	wireUint(x, 1, &f.Step)
	wireUint(x, 2, &f.Outcome)
	wireScope(x, 3, &f.Scope)
	x.int(4, &f.Value)
	x.int(5, &f.Above)
	wireUint(x, 6, &f.Override)
	wireUint(x, 7, &f.Unit)
}

func (f *Finding) hide() { f.Value, f.Above, f.Hidden = 0, 0, true }

// String tells the finding in English.
func (f Finding) String() string {
	text := f.Outcome.String() + ": " + f.Step.String()
	if f.Scope != (Scope{}) {
		text += " of " + f.Scope.String()
	}
	if f.Unit != 0 {
		text += fmt.Sprintf(" by the overlay of unit %d", f.Unit)
	}
	if f.Step != Unlimited && !f.Hidden {
		text += fmt.Sprintf(" is %d, above %d%s", f.Value, f.Above, f.Step.unit())
	}
	if f.Override != 0 {
		text += fmt.Sprintf(" (override %d)", f.Override)
	}
	return text
}

// Room is what a limit leaves for a document, in the limit's currency.
type Room struct {
	Scope    Scope
	Unit     customer.UnitID // whose overlay of the customer sets the limit, 0 for none
	Limit    money.Amount
	Exposure money.Amount // without the document
	Asked    money.Amount
	Free     money.Amount // Limit - Exposure - Asked, negative for what is lacking
	Ceiling  bool
	// Hidden says that the session may not see the figures, which are then 0.
	Hidden bool
}

// Decision is what a check says about a document: the severest outcome of its findings,
// and the limits that bound it.
type Decision struct {
	Outcome  Outcome
	Findings []Finding
	Rooms    []Room
}

// Check says what Reserve would, and takes nothing. An amount of zero asks about the
// customer as it stands.
func (r *Reader) Check(q Request) (Decision, error) {
	c, err := r.customers.Get(q.Customer)
	if err == nil {
		err = r.allow(customer.RightRead, c.ID)
	}
	if err != nil {
		return Decision{}, err
	}
	k, err := r.newCheck(c)
	if err == nil {
		k.unit, err = r.through(customer.RightRead, customer.Credit, q.Unit)
	}
	if err != nil {
		return Decision{}, err
	}
	decision, err := k.decide(q.Key, q.Amount, q.Amount.Minor-q.Prepaid)
	if err != nil {
		return Decision{}, err
	}
	return decision, r.hideDecision(c.ID, &decision)
}

// hideDecision takes out the figures that the session may not see.
func (r *Reader) hideDecision(id customer.ID, d *Decision) error {
	for i := range d.Rooms {
		room := &d.Rooms[i]
		limit, err := r.shows("limit", room.Scope)
		if err != nil {
			return err
		}
		exposure, err := r.shows("exposure", room.Scope)
		if err != nil {
			return err
		}
		switch {
		case !r.concerns(room.Unit):
			*room = Room{Scope: room.Scope, Hidden: true}
		case !limit || !exposure:
			*room = Room{Scope: room.Scope, Unit: room.Unit, Ceiling: room.Ceiling, Hidden: true}
		}
	}
	v := Reservation{Customer: id, Findings: d.Findings}
	return r.mask(&v)
}

// check is one customer's check within a transaction.
type check struct {
	*Reader
	customer *customer.Customer
	profile  *Profile
	policy   *Policy
	day      date.Date
	unit     customer.UnitID // through which the credit is asked for, 0 for none
}

func (r *Reader) newCheck(c *customer.Customer) (*check, error) {
	p, err := r.profile(c.ID)
	if err != nil {
		return nil, err
	}
	policy, err := r.Policy(p.Policy)
	if err != nil {
		return nil, err
	}
	return &check{Reader: r, customer: c, profile: p, policy: policy, day: r.today()}, nil
}

// decide checks a document of an amount that asks for more credit, in minor units of the
// same currency. What asks for none is not held up by limits.
func (k *check) decide(key string, document money.Amount, more int64) (Decision, error) {
	var d Decision
	overrides, err := k.overrides(key, document)
	if err != nil {
		return d, err
	}
	if more > 0 || document.Minor == 0 {
		if err := k.checkLimits(&d, money.Amount{Minor: more, Currency: document.Currency}, overrides); err != nil {
			return d, err
		}
	}
	for _, step := range k.policy.steps() {
		if step.Kind == Utilisation {
			continue
		}
		value, err := k.measure(step, document)
		if err != nil {
			return d, err
		}
		if value > step.Above {
			d.find(Finding{Step: step.Kind, Outcome: step.Outcome, Value: value, Above: step.Above}, overrides)
		}
	}
	hold, err := k.dunningHold()
	if err != nil {
		return d, err
	}
	if hold > 0 {
		d.find(Finding{Step: DunningLevel, Outcome: Hold, Value: hold}, overrides)
	}
	for _, f := range d.Findings {
		d.Outcome = max(d.Outcome, f.Outcome)
	}
	return d, nil
}

// find adds a finding, or makes one of the same step and scope severer.
func (d *Decision) find(f Finding, overrides []*Override) {
	for _, o := range overrides {
		if f.Outcome > Warn && o.covers(f.Step) && (f.Step != Utilisation || o.Amount.Minor == 0) {
			f.Outcome, f.Override = Warn, o.ID
		}
	}
	for i := range d.Findings {
		if old := &d.Findings[i]; old.Step == f.Step && old.Scope == f.Scope && old.Unit == f.Unit {
			if f.Outcome > old.Outcome || f.Outcome == old.Outcome && f.Above > old.Above {
				*old = f
			}
			return
		}
	}
	d.Findings = append(d.Findings, f)
}

// measure returns what a step looks at; what isn't known is below every threshold.
func (k *check) measure(s Step, document money.Amount) (int64, error) {
	switch s.Kind {
	case OldestOverdue:
		due, found, err := k.oldestDue(k.customer.ID)
		if err != nil || !found {
			return -1, err
		}
		return int64(k.day-due) - k.policy.MarginDays, nil
	case LargestDocument:
		if document.Minor <= 0 {
			return -1, nil
		}
		converted, err := k.Convert(document, s.Currency, k.day)
		return converted.Minor, err
	case PaymentBehaviour:
		if k.store.control.DaysLate == nil {
			return -1, nil
		}
		days, known, err := k.store.control.DaysLate(k.Reader, k.customer.ID)
		if err != nil || !known {
			return -1, err
		}
		return days, nil
	case DunningLevel:
		d, err := k.dunningOf(k.customer.ID)
		if err != nil {
			return -1, err
		}
		return int64(d.Level), nil
	}
	return -1, nil
}

// bounding is a bound of a scope that counts for a document.
type bounding struct {
	bound
	scope Scope
	unit  customer.UnitID // whose overlay it is of, 0 for none
	apart []currency      // those with a limit of their own, which don't count here
}

type currency = money.Currency

// bounds finds the limits that count for a document: the nearest, and the ceilings.
func (k *check) bounds(of currency) ([]bounding, error) {
	scopes := []Scope{OfCustomer(k.customer.ID)}
	if k.profile.Group != 0 {
		scopes = append(scopes, OfGroup(k.profile.Group))
	}
	if k.customer.Owner != 0 {
		above, err := k.organisation().Above(k.customer.Owner)
		if err != nil {
			return nil, err
		}
		scopes = append(scopes, OfUnit(k.customer.Owner))
		for _, unit := range above {
			scopes = append(scopes, OfUnit(unit))
		}
	}
	scopes = append(scopes, OfUnit(0))
	var list []bounding
	for _, s := range scopes {
		b, found, err := k.boundOf(s, of)
		if err != nil {
			return nil, err
		}
		if found && (len(list) == 0 || b.ceiling) {
			list = append(list, b)
		}
	}
	return list, nil
}

// boundOf returns the bound of a scope for a currency: the currency's own, or the general.
func (k *check) boundOf(s Scope, of currency) (b bounding, found bool, err error) {
	line, err := k.line(s)
	if err != nil {
		return b, false, err
	}
	bounds := line.on(k.day)
	for _, x := range bounds {
		switch {
		case x.only && x.base.Currency == of:
			return bounding{bound: x, scope: s}, true, nil
		case x.only:
			b.apart = append(b.apart, x.base.Currency)
		default:
			b.bound, found = x, true
		}
	}
	b.scope = s
	return b, found, nil
}

// checkLimits finds how far the limits are used with a document.
func (k *check) checkLimits(d *Decision, asked money.Amount, overrides []*Override) error {
	bounds, err := k.bounds(asked.Currency)
	if err != nil {
		return err
	}
	if len(bounds) == 0 && k.policy.WithoutLimit > Pass {
		d.find(Finding{Step: Unlimited, Outcome: k.policy.WithoutLimit}, overrides)
	}
	own, found, err := k.overlayBound()
	if err != nil {
		return err
	}
	if found {
		bounds = append(bounds, own)
	}
	for _, b := range bounds {
		room, err := k.room(&b, asked)
		if err != nil {
			return k.hideRate(&b, err)
		}
		d.Rooms = append(d.Rooms, room)
		if err := k.checkUse(d, room, overrides); err != nil {
			return err
		}
	}
	return nil
}

// hideRate takes the currencies out of an error about a rate when the session may not see
// what is in them.
func (k *check) hideRate(b *bounding, err error) error {
	lacking, found := errors.AsType[*RateError](err)
	if !found || k.access() == nil {
		return err
	}
	limit, limitErr := k.shows("limit", b.scope)
	exposure, exposureErr := k.shows("exposure", b.scope)
	if seen := errors.Join(limitErr, exposureErr); seen != nil {
		return seen
	}
	if limit && exposure && k.concerns(b.unit) {
		return err
	}
	return &RateError{Day: lacking.Day}
}

// room adds up what counts against a bound, in the bound's currency. Each currency's
// exposure is converted as one sum.
func (k *check) room(b *bounding, asked money.Amount) (room Room, err error) {
	room = Room{Scope: b.scope, Unit: b.unit, Limit: b.base, Ceiling: b.ceiling}
	for _, extra := range b.extras {
		if room.Limit, err = k.plus(room.Limit, extra); err != nil {
			return room, err
		}
	}
	list, err := k.exposure(b.scope)
	if err != nil {
		return room, err
	}
	room.Exposure.Currency = b.base.Currency
	for i := range list {
		if !b.counts(list[i].Currency) {
			continue
		}
		part, err := list[i].Total(k.policy.parts())
		if err == nil {
			room.Exposure, err = k.plus(room.Exposure, part)
		}
		if err != nil {
			return room, err
		}
	}
	return room, k.free(&room, asked)
}

// counts reports whether the exposure in a currency counts against a bound.
func (b *bounding) counts(c currency) bool {
	if b.only {
		return c == b.base.Currency
	}
	for _, apart := range b.apart {
		if apart == c {
			return false
		}
	}
	return true
}

// free works out what is left.
func (k *check) free(room *Room, asked money.Amount) (err error) {
	if asked.Currency == 0 {
		asked.Currency = room.Limit.Currency
	}
	if room.Asked, err = k.Convert(asked, room.Limit.Currency, k.day); err != nil {
		return err
	}
	if room.Free, err = room.Limit.Sub(room.Exposure); err == nil {
		room.Free, err = room.Free.Sub(room.Asked)
	}
	return err
}

// plus returns a + b in the currency of a.
func (k *check) plus(a, b money.Amount) (money.Amount, error) {
	converted, err := k.Convert(b, a.Currency, k.day)
	if err != nil {
		return a, err
	}
	return a.Add(converted)
}

// checkUse compares the use of a limit with the steps.
func (k *check) checkUse(d *Decision, room Room, overrides []*Override) error {
	used, err := room.Exposure.Add(room.Asked)
	if err != nil || used.Minor <= 0 {
		return err
	}
	for _, step := range k.policy.steps() {
		if step.Kind != Utilisation || !exceeds(used.Minor, room.Limit.Minor, step.Above) {
			continue
		}
		f := Finding{Step: Utilisation, Outcome: step.Outcome, Scope: room.Scope, Unit: room.Unit, Value: percent(used.Minor, room.Limit.Minor), Above: step.Above}
		if err := k.stretch(&f, used, room.Limit, overrides); err != nil {
			return err
		}
		d.find(f, overrides)
	}
	return nil
}

// stretch makes a finding milder when an override adds enough to the limit.
func (k *check) stretch(f *Finding, used, limit money.Amount, overrides []*Override) (err error) {
	if f.Outcome <= Warn {
		return nil
	}
	for _, o := range overrides {
		if !o.covers(Utilisation) || o.Amount.Minor == 0 {
			continue
		}
		if limit, err = k.plus(limit, o.Amount); err != nil {
			return err
		}
		if !exceeds(used.Minor, limit.Minor, f.Above) {
			f.Outcome, f.Override = Warn, o.ID
			return nil
		}
	}
	return nil
}

// exceeds reports whether a positive use is more than so many percent of a limit, exactly.
func exceeds(used, limit, above int64) bool {
	usedHigh, usedLow := bits.Mul64(uint64(used), 100)
	limitHigh, limitLow := bits.Mul64(uint64(limit), uint64(above))
	return usedHigh > limitHigh || usedHigh == limitHigh && usedLow > limitLow
}

// maxPercent stands for every use that is more, and for any use of a limit of zero.
const maxPercent = 1_000_000

// percent is a positive use in percent of a limit, rounded up, so that what exceeds 100
// percent reads so.
func percent(used, limit int64) int64 {
	high, low := bits.Mul64(uint64(used), 100)
	if uint64(limit) <= high {
		return maxPercent
	}
	quotient, remainder := bits.Div64(high, low, uint64(limit))
	if remainder > 0 {
		quotient++
	}
	return int64(min(quotient, maxPercent))
}
