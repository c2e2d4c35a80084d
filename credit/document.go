package credit

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// Document is what is posted to a customer's account: an invoice, a payment, a credit
// note. It becomes one item for each instalment.
type Document struct {
	// Key names the document in the book, for ever: posting the same once more changes
	// nothing. At most MaxDocument bytes.
	Key      string
	Customer customer.ID // one that was merged stands for its survivor
	Kind     Kind
	Side     Side // of an Adjustment or Rounding; otherwise left 0
	Date     date.Date
	Amount   money.Amount // positive
	// Instalments say what is due when; they must add up to Amount. Without them Terms
	// do, and without those the whole is due on Date.
	Instalments []Instalment
	Terms       Terms
	// OwnTerms takes the terms that the customer has when it is posted, by TermsOf. They may
	// be others when it is posted again; that still changes nothing.
	OwnTerms bool
	// Unit is the one that posts, whose overlay of the customer may have terms of its own,
	// for OwnTerms; see TermsThrough. 0 is the home unit of the session's principal, if it has
	// one and access is enforced. To name a unit takes a grant there by which the session may
	// post.
	Unit      customer.UnitID
	Reference string
	Note      string
	Rate      money.Rate // base units for one unit of the currency, if known
	// Margin is what is earned on a sale, or given up by a credit note: the Amount without
	// tax less the cost of what was sold, in its minor units, below zero for a loss; 0 is not
	// known, and for money. It stands with the first instalment.
	Margin int64
	// CarryLate posts a document of a closed period into the first open day, instead of
	// refusing it. Its date and due days stay what they are.
	CarryLate bool
}

// Instalment is a part of a document and the day on which it is due.
type Instalment struct {
	Due       date.Date
	Amount    int64 // minor units, positive
	Discounts []CashDiscount
}

// Post posts a document and returns its items. One that is posted already, with the same
// contents but for Reference and Note, is returned as it is; with other contents it is
// ErrDocument. It fails with
// ErrClosedPeriod, and with an *Error that wraps ErrInvalid for what can't be. It
// rewrites a page of open items, one of the log, and the customer's account and figures.
func (tx *Tx) Post(d Document) ([]*Item, error) {
	const op = "post"
	standing, err := tx.mayPost(op, d.Customer)
	if err != nil {
		return nil, err
	}
	d.Customer = standing
	if d.OwnTerms {
		if err := tx.takeTerms(op, &d); err != nil {
			return nil, err
		}
	}
	items, err := d.items(op)
	if err != nil {
		return nil, err
	}
	if former, err := tx.Document(d.Key); err != nil || former != nil {
		return former, errors.Join(err, sameDocument(op, former, items))
	}
	return items, tx.insert(op, items, d.CarryLate)
}

// takeTerms gives a document the customer's present terms where it is posted, or if it is posted already the
// instalments that it was given then.
func (tx *Tx) takeTerms(op string, d *Document) error {
	if len(d.Instalments) > 0 || len(d.Terms.Parts)+len(d.Terms.Discounts) > 0 {
		return &Error{Op: op, Customer: d.Customer, Field: "OwnTerms", Remedy: "leave out Instalments and Terms, or OwnTerms", Err: ErrInvalid}
	}
	former, err := tx.Document(d.Key)
	if err != nil {
		return err
	}
	if former == nil {
		unit, err := tx.through(customer.RightPost, customer.Items, d.Unit)
		if err == nil {
			d.Terms, err = tx.termsOf(d.Customer, unit)
		}
		return err
	}
	total := int64(0)
	for _, i := range former {
		total += i.Amount.Minor // of a posted document, whose sum fits
	}
	if total != d.Amount.Minor {
		return nil // another document, as will turn out
	}
	for _, i := range former {
		d.Instalments = append(d.Instalments, Instalment{Due: i.Due, Amount: i.Amount.Minor, Discounts: i.Discounts})
	}
	return nil
}

// insert posts the items of a new document.
func (tx *Tx) insert(op string, items []*Item, carry bool) error {
	effective, err := tx.admit(op, items[0].Date, carry)
	if err != nil {
		return err
	}
	list := make([]posted, len(items))
	for n, i := range items {
		id, err := tx.store.itemIDs.Next(tx.tx, nil)
		if err != nil {
			return err
		}
		i.ID, i.Effective, i.Known = ItemID(id), effective, dayOf(tx.now())
		if err := tx.store.item.InsertNew(tx.tx, i.ID, i, uint8(Posted)); err != nil {
			return taken(op, i, err)
		}
		tx.stamp(i)
		if list[n], err = tx.posting(i); err != nil {
			return err
		}
	}
	return tx.record(list)
}

// taken says that a document key belongs to a document that the session doesn't see.
func taken(op string, i *Item, err error) error {
	var unique *storage.UniqueError
	if !errors.As(err, &unique) {
		return err
	}
	return &Error{Op: op, Customer: i.Customer, Field: "Key", Value: shorten(i.Document), Remedy: "use a new key", Err: ErrDocument}
}

// stamp sets what the storage keeps with a new item.
func (tx *Tx) stamp(i *Item) {
	session := tx.tx.Session()
	i.Version, i.Recorded, i.Actor, i.Reason = i.Version+1, tx.tx.Now(), session.Actor, session.Reason
}

// sameDocument returns an error when two documents of one key differ. Effective and Known
// are the ledger's own, a customer may have been merged since, and texts may have been erased
// or mended.
func sameDocument(op string, former, wanted []*Item) error {
	if former == nil {
		return nil
	}
	same := slices.EqualFunc(former, wanted, func(a, b *Item) bool {
		return a.sameAs(b)
	})
	if same {
		return nil
	}
	return &Error{Op: op, Customer: wanted[0].Customer, Field: "Key", Value: shorten(wanted[0].Document), Remedy: "use a new key for another document", Err: ErrDocument}
}

func (i *Item) sameAs(o *Item) bool {
	return (i.Customer == o.Customer || slices.Contains(i.Via, o.Customer)) && i.Kind == o.Kind && i.Side == o.Side &&
		i.Amount == o.Amount && i.Date == o.Date && i.Due == o.Due && i.Rate == o.Rate && i.Margin == o.Margin && slices.Equal(i.Discounts, o.Discounts)
}

// items checks a document and makes its items.
func (d *Document) items(op string) ([]*Item, error) {
	if err := d.check(op); err != nil {
		return nil, err
	}
	parts := d.Instalments
	if len(parts) == 0 {
		var err error
		if parts, err = d.Terms.Split(d.Amount, d.Date); err != nil {
			return nil, &Error{Op: op, Customer: d.Customer, Field: "Terms", Value: d.Terms.String(), Err: err}
		}
	}
	if err := d.checkParts(op, parts); err != nil {
		return nil, err
	}
	side := d.Kind.Side()
	if side == 0 {
		side = d.Side
	}
	items := make([]*Item, len(parts))
	for n, p := range parts {
		items[n] = &Item{
			Customer: d.Customer, Kind: d.Kind, Side: side, Document: d.Key, Instalment: n + 1,
			Amount: money.Amount{Minor: p.Amount, Currency: d.Amount.Currency}, Date: d.Date, Due: p.Due, Effective: d.Date,
			Reference: d.Reference, Note: d.Note, Discounts: slices.Clone(p.Discounts), Rate: d.Rate, texts: d.Note != "",
		}
	}
	items[0].Margin = d.Margin
	return items, nil
}

func (d *Document) check(op string) error {
	wrong := func(field, value, problem, remedy string) error {
		return &Error{Op: op, Customer: d.Customer, Field: field, Value: shorten(value), Problem: problem, Remedy: remedy, Err: ErrInvalid}
	}
	switch {
	case d.Key == "":
		return wrong("Key", "", "is missing", "name the document")
	case d.Kind == 0 || d.Kind > lastKind || d.Kind == Reversal:
		return wrong("Kind", d.Kind.String(), "can't be posted", "use a kind from invoice to rounding, or Reverse")
	case d.Kind.Side() == 0 && d.Side != Debit && d.Side != Credit:
		return wrong("Side", d.Side.String(), d.Kind.String()+" may stand on either side", "say Debit or Credit")
	case d.Kind.Side() != 0 && d.Side != 0 && d.Side != d.Kind.Side():
		return wrong("Side", d.Side.String(), "is not that of "+d.Kind.String(), "leave it out")
	case !d.Amount.Currency.Known():
		return wrong("Amount", d.Amount.Currency.String(), "has no known currency", "use a code of ISO 4217")
	case d.Amount.Minor <= 0:
		return wrong("Amount", d.Amount.String(), "is not positive", "give a positive amount; the kind says the side")
	case !d.Date.Valid():
		return wrong("Date", d.Date.String(), "is no date", "use a day from 1900-01-01 to 2200-12-31")
	case d.Margin > d.Amount.Minor || d.Margin < -math.MaxInt64:
		return wrong("Margin", fmt.Sprint(d.Margin), "is more than the amount, or out of range", "give what is earned on the sale in minor units")
	case d.Margin != 0 && (d.Kind.money() || d.Kind == Refund):
		return wrong("Margin", fmt.Sprint(d.Margin), "nothing is earned on a "+d.Kind.String(), "leave it out")
	case d.Rate.Scale > money.MaxRateScale || d.Rate.IsZero() && d.Rate.Scale > 0:
		return wrong("Rate", d.Rate.String(), "is no rate", "use one that money.ParseRate returned, or none")
	}
	return d.checkTexts(wrong)
}

func (d *Document) checkTexts(wrong func(field, value, problem, remedy string) error) error {
	for _, t := range []struct {
		name, text string
		most       int
	}{{"Key", d.Key, MaxDocument}, {"Reference", d.Reference, MaxDocument}, {"Note", d.Note, MaxNote}} {
		if t.text == "" {
			continue
		}
		if len(t.text) > t.most || !utf8.ValidString(t.text) || strings.ContainsRune(t.text, 0) {
			return wrong(t.name, t.text, "is too long or not clean text", fmt.Sprintf("use at most %d bytes of UTF-8", t.most))
		}
	}
	return nil
}

func (d *Document) checkParts(op string, parts []Instalment) error {
	wrong := func(n int, field, value, problem string) error {
		return &Error{Op: op, Customer: d.Customer, Field: fmt.Sprintf("Instalments[%d].%s", n, field), Value: value, Problem: problem, Err: ErrInvalid}
	}
	if len(parts) > MaxInstalments {
		return &Error{Op: op, Customer: d.Customer, Field: "Instalments", Value: fmt.Sprint(len(parts)), Remedy: fmt.Sprintf("use at most %d", MaxInstalments), Err: storage.ErrLimit}
	}
	total := int64(0)
	for n, p := range parts {
		if !p.Due.Valid() {
			return wrong(n, "Due", p.Due.String(), "is no date from 1900-01-01 to 2200-12-31")
		}
		if p.Amount <= 0 {
			return wrong(n, "Amount", fmt.Sprint(p.Amount), "is not positive")
		}
		for _, c := range p.Discounts {
			if !c.within(p.Amount) {
				return wrong(n, "Discounts", fmt.Sprint(c.Amount), "is not less than the instalment, or has no date")
			}
		}
		sum, ok := money.AddMinor(total, p.Amount)
		if !ok {
			return wrong(n, "Amount", fmt.Sprint(p.Amount), "makes the sum overflow")
		}
		total = sum
	}
	if total != d.Amount.Minor {
		return &Error{Op: op, Customer: d.Customer, Field: "Instalments", Value: money.Amount{Minor: total, Currency: d.Amount.Currency}.String(),
			Problem: "don't add up to " + d.Amount.String(), Err: ErrInvalid}
	}
	return nil
}

// Document returns the items of a document by its key, nil when nothing has it or the
// session doesn't see its customer.
func (r *Reader) Document(key string) ([]*Item, error) {
	var items []*Item
	prefix := storage.Key(nil).String(key)
	for e, err := range r.store.item.Entries(r.storage, r.store.document, kv.Prefix(prefix), false) {
		if err != nil {
			return nil, err
		}
		id, err := e.Primary(nil)
		if err != nil {
			return nil, err
		}
		i, err := r.Item(id)
		if isNotFound(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		items = append(items, i)
	}
	return items, nil
}

// Item returns an item by its id. One of a customer that the session doesn't see is not
// found.
func (r *Reader) Item(id ItemID) (*Item, error) {
	i, err := r.item("look up", id)
	if err != nil {
		return nil, err
	}
	if err := r.maySee("look up", i.Customer); err != nil {
		return nil, missingItem("look up", id, err)
	}
	return i, nil
}

// item is Item for what the session's scope has no part in.
func (r *Reader) item(op string, id ItemID) (*Item, error) {
	i, err := r.store.item.Get(r.storage, id)
	return i, missingItem(op, id, err)
}

// missingItem says that there is no such item, also of one whose customer is out of sight.
func missingItem(op string, id ItemID, err error) error {
	if isNotFound(err) {
		return &Error{Op: op, Item: id, Problem: "there is no such item", Remedy: "use the id of a posted item", Err: ErrNotFound}
	}
	return err
}

// ours returns an item to whose customer the session may post.
func (tx *Tx) ours(op string, id ItemID) (*Item, error) {
	i, err := tx.item(op, id)
	if err != nil {
		return nil, err
	}
	_, err = tx.mayPost(op, i.Customer)
	return i, missingItem(op, id, err)
}

// Open returns what is open of an item now, in minor units of its currency.
func (r *Reader) Open(id ItemID) (int64, error) {
	i, err := r.Item(id)
	if err != nil {
		return 0, err
	}
	return r.openAmount(i)
}
