package stocktake_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/stocktake"
	"github.com/clientele-go/clientele/orgtree"
)

// 260 representatives with one customer each, of 1.00, 2.00, … 260.00: what the table
// leaves out is in its rest, by figures and in the cross-tab as well.
func TestWhatTablesLeaveOutIsInTheirRest(t *testing.T) {
	b := newBook(t, clientele.Options{})
	b.update(func(tx *clientele.Tx) error {
		return tx.Customers.SetSchema(&customer.Schema{Attributes: []customer.AttributeSpec{{Name: "sales", Type: customer.Number, Decimals: 2}}})
	})
	const n = 260
	drafts := make([]customer.Draft, n)
	for i := range drafts {
		sales := customer.Attribute{Name: "sales", Value: customer.NumberValue(int64(i+1) * 100)}
		drafts[i] = customer.Draft{Name: fmt.Sprintf("客户%03d", i), Rep: fmt.Sprintf("rep%03d", i), Attributes: []customer.Attribute{sales}}
	}
	b.create(drafts...)
	b.now.set(day(2025, 2, 1))
	r := b.count(stocktake.Ask{Definition: stocktake.Definition{
		Dimensions: []string{"rep", "kind"}, CrossTabs: [][2]string{{"rep", "kind"}, {"kind", "rep"}},
		Revenue: &stocktake.Measure{Attribute: "sales", Currency: "CNY"},
	}})
	d := r.Dimensions[0]
	if d.Rest == nil || len(d.Rows) != stocktake.MaxRows {
		t.Fatalf("%d rows, the rest %+v", len(d.Rows), d.Rest)
	}
	var amount, customers int64
	for _, row := range append(d.Rows, *d.Rest) {
		for _, f := range row.Figures {
			amount, customers = amount+f.Amount, customers+f.Customers
		}
	}
	if want := int64(n * (n + 1) / 2 * 100); amount != want || customers != n { // 1 + … + 260
		t.Errorf("the rows' revenue is %d of %d customers; want %d of %d", amount, customers, want, n)
	}
	for _, x := range r.CrossTabs {
		var sum int64
		for _, cells := range x.Cells {
			for _, c := range cells {
				sum += c
			}
		}
		if sum != n || len(x.RowKeys) > 51 || len(x.ColumnKeys) > 51 {
			t.Errorf("%s by %s counts %d customers in %d rows and %d columns; want %d", x.Rows, x.Columns, sum, len(x.RowKeys), len(x.ColumnKeys), n)
		}
	}
}

// 1234.5 in an attribute of one fraction digit is 123450 fen, 1235 yen and 1234500 fils.
func TestAttributesAreInMinorUnitsOfTheirCurrency(t *testing.T) {
	b := newBook(t, clientele.Options{})
	b.update(func(tx *clientele.Tx) error {
		return tx.Customers.SetSchema(&customer.Schema{Attributes: []customer.AttributeSpec{{Name: "sales", Type: customer.Number, Decimals: 1}}})
	})
	b.create(customer.Draft{Name: "A", Attributes: []customer.Attribute{{Name: "sales", Value: customer.NumberValue(1234_5)}}})
	b.now.set(day(2025, 2, 1))
	for currency, want := range map[string]int64{"CNY": 1234_50, "JPY": 1235, "KWD": 1234_500} {
		r := b.count(stocktake.Ask{Definition: stocktake.Definition{Profit: &stocktake.Measure{Attribute: "sales", Currency: currency}}})
		if len(r.Figures) != 1 || r.Figures[0].Amount != want {
			t.Errorf("%s: %+v; want %d", currency, r.Figures, want)
		}
	}
}

// Invoices are no profit, and an unknown currency is none.
func TestMeasuresThatTellNothingAreRefused(t *testing.T) {
	b := newBook(t, clientele.Options{})
	b.now.set(day(2025, 2, 1))
	for field, d := range map[string]stocktake.Definition{
		"Definition.Profit":  {Profit: &stocktake.Measure{}},
		"Definition.Revenue": {Revenue: &stocktake.Measure{Attribute: "sales", Currency: "XQQ"}},
	} {
		_, err := b.Stocktake().Count(t.Context(), stocktake.Ask{Definition: d})
		var wrong *stocktake.Error
		if !errors.As(err, &wrong) || wrong.Field != field || wrong.Remedy == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// One customer with invoices in two currencies and two months, and one that only paid.
func TestFiguresCountCustomersOnce(t *testing.T) {
	b := newBook(t, clientele.Options{})
	ids := b.create(customer.Draft{Name: "A"}, customer.Draft{Name: "B"})
	post := func(key string, id customer.ID, kind credit.Kind, on date.Date, a money.Amount) {
		b.update(func(tx *clientele.Tx) error {
			_, err := tx.Credit.Post(credit.Document{Key: key, Customer: id, Kind: kind, Date: on, Amount: a})
			return err
		})
	}
	for i, at := range []time.Time{day(2025, 2, 3), day(2025, 3, 3)} {
		b.now.set(at)
		post(fmt.Sprint("C", i), ids[0], credit.Invoice, date.Of(at), money.Amount{Minor: 100, Currency: money.CNY})
		post(fmt.Sprint("U", i), ids[0], credit.Invoice, date.Of(at), money.Amount{Minor: 10, Currency: money.USD})
	}
	post("P", ids[1], credit.Payment, date.Of(b.now.get()), money.Amount{Minor: 5, Currency: money.CNY})
	b.now.set(day(2025, 4, 1))
	r := b.count(stocktake.Ask{Definition: stocktake.Definition{Revenue: &stocktake.Measure{}, Dimensions: []string{"kind"}}})
	for _, figures := range [][]stocktake.Figure{r.Figures, r.Dimensions[0].Rows[0].Figures} {
		if len(figures) != 2 || figures[0].Amount != 200 || figures[0].Customers != 1 || figures[1].Amount != 20 || figures[1].Customers != 1 {
			t.Errorf("%+v; want 200 and 20 of one customer", figures)
		}
	}
}

// A count in between, by hand, is not the one that the schedule asks for.
func TestCountsByHandDontMeetTheSchedule(t *testing.T) {
	b := newBook(t, clientele.Options{})
	b.create(customer.Draft{Name: "A"})
	b.save(stocktake.Definition{Name: "monthly", Every: stocktake.Monthly})
	b.now.set(day(2025, 3, 5))
	for _, ask := range []stocktake.Ask{
		{Name: "monthly", Opening: instant(2025, 2, 1), Closing: instant(2025, 3, 1)},
		{Name: "monthly", Opening: instant(2025, 2, 1), Closing: instant(2025, 4, 2)}, // before the timer rings
		{Name: "monthly", Opening: instant(2025, 1, 15), Closing: instant(2025, 4, 1)},
	} {
		b.now.set(maxTime(b.now.get(), ask.Closing.Time))
		if _, err := b.Stocktake().Run(t.Context(), ask); err != nil {
			t.Fatal(err)
		}
	}
	b.now.set(day(2025, 4, 2))
	err := b.View(t.Context(), func(tx *clientele.ReadTx) error {
		due, err := tx.Stocktake.Due(b.now.get())
		if err == nil && (len(due) != 1 || due[0].Opening != instant(2025, 3, 1) || due[0].Closing != instant(2025, 4, 1)) {
			t.Errorf("due: %+v; want March", due)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// twoUnits creates two units beside one another.
func (b *book) twoUnits() (units []customer.UnitID) {
	b.t.Helper()
	b.update(func(tx *clientele.Tx) error {
		units = nil
		for _, code := range []string{"N", "S"} {
			u, err := tx.Org.CreateUnit(orgtree.Unit{Code: code, Names: customer.Names{"en": code}})
			if err != nil {
				return err
			}
			units = append(units, u.ID)
		}
		return nil
	})
	return units
}

// Who sees one of a pair is not told that there is another.
func TestSuspectsOutsideTheScopeStayHidden(t *testing.T) {
	b := newBook(t, clientele.Options{})
	units := b.twoUnits()
	ids := b.create(customer.Draft{Name: "A", Owner: units[0]}, customer.Draft{Name: "A'", Owner: units[1]}, customer.Draft{Name: "B", Owner: units[0]}, customer.Draft{Name: "B'", Owner: units[0]})
	b.update(func(tx *clientele.Tx) error {
		return errors.Join(tx.Dedupe.Flag(ids[0], ids[1]), tx.Dedupe.Flag(ids[2], ids[3]))
	})
	b.update(func(tx *clientele.Tx) error { return grantClerk(tx, units[0]) })
	b.now.set(day(2025, 2, 1))
	ask := stocktake.Ask{Definition: stocktake.Definition{Checks: []string{"suspects"}}}
	for actor, want := range map[string]int64{"boss": 4, "clerk": 2} {
		r, err := b.book.As(clientele.Actor{ID: actor}).Stocktake().Count(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		if got := checkOf(r, "suspects").Count; got != want {
			t.Errorf("%s is told of %d suspected customers; want %d", actor, got, want)
		}
	}
}

func TestUnknownTermsAreRefused(t *testing.T) {
	b := newBook(t, clientele.Options{})
	b.create(customer.Draft{Name: "A"})
	b.save(stocktake.Definition{Name: "all"})
	b.now.set(day(2025, 2, 1))
	r, err := b.Stocktake().Run(t.Context(), stocktake.Ask{Name: "all"})
	if err != nil {
		t.Fatal(err)
	}
	err = b.View(t.Context(), func(tx *clientele.ReadTx) error {
		for term, want := range map[string]int{"closing": 1, "erased": 0, "check.no_rep": 1, "check.stale": 0, "only_here": 0} {
			if ids, _, err := tx.Stocktake.Customers(r.Filing.Run, term, 0, 9); err != nil || len(ids) != want {
				t.Errorf("%s: %v, %v; want %d", term, ids, err, want)
			}
		}
		for _, term := range []string{"", "Closing", "no_rep", "check.no_reps"} {
			if _, _, err := tx.Stocktake.Customers(r.Filing.Run, term, 0, 9); !errors.Is(err, stocktake.ErrInvalid) {
				t.Errorf("%q: %v", term, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPeriodsThatEndBeforeTheyBeginAreRefused(t *testing.T) {
	b := newBook(t, clientele.Options{})
	b.create(customer.Draft{Name: "A"})
	b.now.set(day(2025, 2, 1))
	for name, ask := range map[string]stocktake.Ask{
		"tomorrow to now":       {Opening: instant(2025, 2, 2)},
		"now to now":            {Opening: instant(2025, 2, 1)},
		"later to a position":   {Opening: instant(2025, 1, 20), Closing: stocktake.Instant{Position: 1}},
		"a position to earlier": {Opening: stocktake.Instant{Position: 1}, Closing: instant(2024, 12, 1)},
	} {
		if r, err := b.Stocktake().Count(t.Context(), ask); !errors.Is(err, stocktake.ErrInvalid) || !strings.Contains(err.Error(), "before the closing") {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

// A book begun at midnight of the first of a month had no customers before.
func TestTheBeginningIsBeforeTheFirstCustomer(t *testing.T) {
	b := newBook(t, clientele.Options{}) // 2025-01-01 00:00
	b.create(customer.Draft{Name: "A"})
	for _, now := range []time.Time{b.now.get(), day(2025, 2, 1)} {
		b.now.set(now)
		if r := b.count(stocktake.Ask{}); r.Reconciliation != (stocktake.Reconciliation{New: 1, Closing: 1}) {
			t.Errorf("at %s: %+v; want one new", now, r.Reconciliation)
		}
	}
}

func TestUnknownUnitsAreRefused(t *testing.T) {
	b := newBook(t, clientele.Options{})
	b.create(customer.Draft{Name: "A"})
	b.now.set(day(2025, 2, 1))
	_, err := b.Stocktake().Count(t.Context(), stocktake.Ask{Definition: stocktake.Definition{Units: []customer.UnitID{999}}})
	if !errors.Is(err, stocktake.ErrInvalid) || !strings.Contains(err.Error(), "Definition.Units 999") {
		t.Error(err)
	}
}

// A cohort of customers whom the session doesn't see is none.
func TestCohortsOutsideTheScopeStayHidden(t *testing.T) {
	b := newBook(t, clientele.Options{})
	units := b.twoUnits()
	b.now.set(day(2025, 2, 10))
	b.create(customer.Draft{Name: "A", Owner: units[0]})
	b.now.set(day(2025, 3, 10))
	b.create(customer.Draft{Name: "B", Owner: units[1]})
	b.update(func(tx *clientele.Tx) error { return grantClerk(tx, units[0]) })
	b.now.set(day(2025, 4, 1))
	r, err := b.book.As(clientele.Actor{ID: "clerk"}).Stocktake().Count(t.Context(), stocktake.Ask{Definition: stocktake.Definition{Cohorts: true}})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Cohorts.Rows) != 1 || r.Cohorts.Rows[0].Month != "2025-02" {
		t.Errorf("%+v; want February's cohort alone", r.Cohorts.Rows)
	}
}

// To whom telephone numbers are hidden, none differs: lists can be linked by them, so that
// the comparison is refused at all.
func TestComparisonsLeaveHiddenFieldsOut(t *testing.T) {
	b := newBook(t, clientele.Options{})
	draft := customer.Draft{
		Name: "台灣水泥股份有限公司", Country: "TW", Phones: []customer.Phone{{Number: "02-2531-7099"}},
		Identifiers: []customer.Identifier{{Scheme: "tw.ubn", Value: "11913502"}},
	}
	b.create(draft)
	b.update(func(tx *clientele.Tx) error {
		mask, err := customer.NewMask("phone")
		if err != nil {
			return err
		}
		unit, err := tx.Org.CreateUnit(orgtree.Unit{Code: "N", Names: customer.Names{"en": "North"}})
		if err != nil {
			return err
		}
		if err := grantClerk(tx, unit.ID); err != nil {
			return err
		}
		if _, err := tx.Org.SetPrincipal(orgtree.Principal{ID: "auditor"}); err != nil {
			return err
		}
		_, err = tx.Org.Give(orgtree.Grant{Principal: "auditor", Role: "clerk", Scope: orgtree.Scope{All: true}, Mask: mask})
		return err
	})
	b.now.set(day(2025, 2, 1))
	r, err := b.book.As(clientele.Actor{ID: "auditor"}).Stocktake().Count(t.Context(), stocktake.Ask{Compare: &stocktake.List{
		Name: "ERP", Rows: func(yield func(customer.Draft, error) bool) { yield(draft, nil) },
	}})
	if errors.Is(err, stocktake.ErrDenied) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if x := r.Comparison; len(x.Differing) != 0 {
		t.Errorf("%+v; want nothing that differs", x)
	}
}
