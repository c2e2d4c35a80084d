package stocktake_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/stocktake"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/orgtree"
)

// book is a book with a clock that the test turns.
type book struct {
	*clientele.Session
	t    *testing.T
	book *clientele.Book
	now  *clock
}

func newBook(t *testing.T, opts clientele.Options) *book {
	t.Helper()
	return newBookAt(t, day(2025, 1, 1), opts)
}

// newBookAt is newBook at an instant.
func newBookAt(t *testing.T, at time.Time, opts clientele.Options) *book {
	t.Helper()
	b := &book{t: t, now: newClock(at)}
	opts.InMemory, opts.WithoutSearch, opts.TickEvery, opts.Clock = true, true, -1, func() time.Time { return b.now.get() }
	var err error
	if b.book, err = clientele.Open(t.Context(), "", opts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.book.Close() })
	b.Session = b.book.System("test")
	return b
}

func day(year, month, d int) time.Time {
	return time.Date(year, time.Month(month), d, 0, 0, 0, 0, time.UTC)
}

func instant(year, month, d int) stocktake.Instant {
	return stocktake.Instant{Time: day(year, month, d)}
}

func (b *book) update(f func(tx *clientele.Tx) error) {
	b.t.Helper()
	if err := b.Update(b.t.Context(), f); err != nil {
		b.t.Fatal(err)
	}
}

func (b *book) create(drafts ...customer.Draft) (ids []customer.ID) {
	b.t.Helper()
	b.update(func(tx *clientele.Tx) error {
		ids = nil
		for _, d := range drafts {
			c, err := tx.Customers.Create(d)
			if err != nil {
				return err
			}
			ids = append(ids, c.ID)
		}
		return nil
	})
	return ids
}

func (b *book) count(ask stocktake.Ask) *stocktake.Result {
	b.t.Helper()
	r, err := b.Stocktake().Count(b.t.Context(), ask)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// save saves a definition.
func (b *book) save(d stocktake.Definition) (saved *stocktake.Definition) {
	b.t.Helper()
	b.update(func(tx *clientele.Tx) (err error) {
		saved, err = tx.Stocktake.SaveDefinition(d)
		return err
	})
	return saved
}

// Events of 2025: A buys in February and in December, B in July, C never, and D, who is
// created in November, at once. Active is within three months, lost after six.
func TestActivityFollowsEvents(t *testing.T) {
	b := newBook(t, clientele.Options{})
	ids := b.create(customer.Draft{Name: "A"}, customer.Draft{Name: "B"}, customer.Draft{Name: "C"})
	b.now.set(day(2025, 11, 10))
	ids = append(ids, b.create(customer.Draft{Name: "D"})...)
	order := func(id customer.ID, month int) {
		b.update(func(tx *clientele.Tx) error {
			return tx.Customers.Record(id, customer.Event{Type: "order", Time: day(2025, month, 9)})
		})
	}
	order(ids[0], 2)
	order(ids[0], 12)
	order(ids[1], 7)
	order(ids[3], 11)
	b.now.set(day(2026, 1, 2))
	r := b.count(stocktake.Ask{
		Definition: stocktake.Definition{Activity: &stocktake.ActivityRule{Active: 3, Lost: 6}, Dimensions: []string{"kind"}, Checks: []string{"inactive"}},
		Opening:    instant(2025, 9, 1), Closing: instant(2026, 1, 1),
	})
	// Opening: A's last event is February: 6 months before August, lost. B's is July:
	// 1 month before August, active. C never. Closing, counted from December: A 0, B 5, D 1.
	want := []stocktake.Activity{
		{Class: stocktake.ClassNew, Closing: 1}, {Class: stocktake.ClassActive, Opening: 1}, {Class: stocktake.ClassReturning, Closing: 1},
		{Class: stocktake.ClassDormant, Closing: 1}, {Class: stocktake.ClassLost, Opening: 1}, {Class: stocktake.ClassNever, Opening: 1, Closing: 1},
	}
	if !slices.Equal(r.Activity, want) {
		t.Errorf("%+v; want %+v", r.Activity, want)
	}
	row := r.Dimensions[0].Rows[0]
	if row.Active != 2 || row.Dormant != 1 || row.Gone != 1 {
		t.Errorf("the row %+v; want 2 active, 1 dormant, 1 gone", row)
	}
	if c := checkOf(r, "inactive"); c.Count != 1 || len(c.Sample) != 1 || c.Sample[0].Name != "C" {
		t.Errorf("without transactions: %+v; want C", c)
	}
	bought := b.count(stocktake.Ask{
		Definition: stocktake.Definition{Bought: &stocktake.Bought{Types: []string{"order"}, Months: 2}},
		Opening:    instant(2025, 9, 1), Closing: instant(2026, 1, 1),
	})
	// In July and August: B. In November and December: A and D, of whom D is new.
	if n := bought.Reconciliation; n != (stocktake.Reconciliation{Opening: 1, New: 1, Entered: 1, Left: 1, Closing: 2}) {
		t.Errorf("who bought: %+v", n)
	}
}

func checkOf(r *stocktake.Result, code string) stocktake.Check {
	for _, c := range r.Checks {
		if c.Code == code {
			return c
		}
	}
	return stocktake.Check{}
}

func TestFiguresAndChecks(t *testing.T) {
	b := newBook(t, clientele.Options{})
	b.update(func(tx *clientele.Tx) error {
		return tx.Customers.SetSchema(&customer.Schema{Attributes: []customer.AttributeSpec{
			{Name: "sales", Type: customer.Number, Decimals: 2}, {Name: "size", Type: customer.Enum, Values: []string{"small", "large"}, Indexed: true},
		}})
	})
	attributes := func(size string, sales int64) []customer.Attribute {
		return []customer.Attribute{{Name: "size", Value: customer.EnumValue(size)}, {Name: "sales", Value: customer.NumberValue(sales)}}
	}
	ids := b.create(
		customer.Draft{Name: "A", Rep: "wang.li", Attributes: attributes("small", 100_00)},
		customer.Draft{Name: "B", Rep: "wang.li", Attributes: attributes("large", -25_50)},
		customer.Draft{Name: "C", Attributes: attributes("large", 7_00)},
	)
	b.now.set(day(2025, 3, 1))
	b.update(func(tx *clientele.Tx) error { // what is required from now on, A to C lack
		s, err := tx.Customers.Schema()
		if err != nil {
			return err
		}
		next := *s
		next.Required = []customer.Requirement{{AnyOf: [][]string{{"Website"}}}}
		return tx.Customers.SetSchema(&next)
	})
	b.create(customer.Draft{Name: "D", Website: "https://d.example", Attributes: attributes("small", 1_00)})
	b.now.set(day(2027, 4, 1))
	r := b.count(stocktake.Ask{Definition: stocktake.Definition{
		Dimensions: []string{"attr.size"}, Revenue: &stocktake.Measure{Attribute: "sales", Currency: "CNY"},
		Checks: []string{"fields", "stale", "suspects"}, StaleMonths: 25,
	}, Opening: instant(2025, 2, 1)})
	// small: A 100.00 and D 1.00; large: B −25.50 and C 7.00.
	rows := r.Dimensions[0].Rows
	if len(rows) != 2 || rows[0].Key != "small" || rows[0].Figures[0].Amount != 101_00 || rows[1].Figures[0].Amount != -18_50 || rows[1].Figures[0].Customers != 2 {
		t.Errorf("rows %+v", rows)
	}
	if len(r.Figures) != 1 || r.Figures[0] != (stocktake.Figure{Name: "revenue", Currency: "CNY", Amount: 82_50, Customers: 4}) {
		t.Errorf("figures %+v", r.Figures)
	}
	for code, want := range map[string]int64{"fields": 3, "stale": 3, "suspects": 0, "no_rep": 2, "no_owner": 4, "no_province": 0} {
		if got := checkOf(r, code); got.Count != want {
			t.Errorf("%s: %d found; want %d", code, got.Count, want)
		}
	}
	if s := checkOf(r, "fields").Sample; len(s) != 3 || s[0].ID != ids[0] || s[0].Note == "" {
		t.Errorf("fields: %+v", s)
	}
}

func TestUnusualMovementIsExplained(t *testing.T) {
	b := newBook(t, clientele.Options{})
	// Ten customers a month, and 40 in September.
	for month := 1; month <= 12; month++ {
		b.now.set(day(2025, month, 10))
		n := 10
		if month == 9 {
			n = 40
		}
		b.create(slices.Repeat([]customer.Draft{{Name: "台灣水泥股份有限公司"}}, n)...)
	}
	b.now.set(day(2026, 1, 1))
	r := b.count(stocktake.Ask{Opening: instant(2025, 1, 1), Closing: instant(2026, 1, 1)})
	// The others' median is 10, their deviations 0; chance alone makes 0.6745·√10 ≈ 2. So
	// the score is 0.6745·30/2 = 10.12.
	if len(r.Unusual) != 1 || r.Unusual[0].Month != "2025-09" || r.Unusual[0].Value != 40 || r.Unusual[0].Median != 10 || r.Unusual[0].MAD != 0 || r.Unusual[0].Score != 1012 {
		t.Errorf("unusual: %+v", r.Unusual)
	}
}

func TestCohortsKeepWhoStays(t *testing.T) {
	b := newBook(t, clientele.Options{})
	b.now.set(day(2025, 1, 20))
	ids := b.create(customer.Draft{Name: "A"}, customer.Draft{Name: "B"}, customer.Draft{Name: "C"})
	archive := func(id customer.ID) {
		b.update(func(tx *clientele.Tx) error {
			_, err := tx.Customers.Archive(id)
			return err
		})
	}
	b.now.set(day(2025, 2, 20))
	archive(ids[0])
	b.create(customer.Draft{Name: "D"})
	b.now.set(day(2025, 3, 20))
	b.update(func(tx *clientele.Tx) error {
		_, err := tx.Customers.Reactivate(ids[0])
		return err
	})
	archive(ids[1])
	b.now.set(day(2025, 4, 1))
	r := b.count(stocktake.Ask{Definition: stocktake.Definition{Cohorts: true}, Opening: instant(2025, 1, 1), Closing: instant(2025, 4, 1)})
	want := `[{"month":"2025-01","created":3,"kept":[3,2,2]},{"month":"2025-02","created":1,"kept":[1,1]}]`
	if got, _ := json.Marshal(r.Cohorts.Rows); string(got) != want {
		t.Errorf("cohorts %s; want %s", got, want)
	}
	if m := r.Trend[2]; m.Reactivated != 1 || m.Archived != 1 || r.Reconciliation.New != 3 {
		t.Errorf("March %+v, the quarter %+v", m, r.Reconciliation)
	}
}

func TestRunsAreReviewedSignedAndVerified(t *testing.T) {
	b := newBook(t, clientele.Options{})
	b.create(customer.Draft{Name: "A"}, customer.Draft{Name: "B"})
	b.save(stocktake.Definition{Name: "all"})
	b.now.set(day(2025, 7, 1))
	ctx := t.Context()
	r, err := b.Stocktake().Run(ctx, stocktake.Ask{Name: "all", Opening: instant(2025, 1, 1), Closing: instant(2025, 7, 1)})
	if err != nil {
		t.Fatal(err)
	}
	id := r.Filing.Run
	boss, deputy := b.book.As(clientele.Actor{ID: "boss"}), b.book.As(clientele.Actor{ID: "deputy"})
	step := func(s *clientele.Session, f func(tx *clientele.Tx) error, want error) {
		t.Helper()
		if err := s.Update(ctx, f); !errors.Is(err, want) {
			t.Fatalf("%v; want %v", err, want)
		}
	}
	approve := func(tx *clientele.Tx) error { _, err := tx.Stocktake.Approve(id, ""); return err }
	adjust := func(tx *clientele.Tx) error {
		_, err := tx.Stocktake.Adjust(id, -1, "two shops of one company")
		return err
	}
	step(boss, approve, stocktake.ErrState)
	step(boss, adjust, stocktake.ErrState)
	step(b.Session, func(tx *clientele.Tx) error { _, err := tx.Stocktake.Submit(id, ""); return err }, nil)
	step(deputy, adjust, nil)
	step(boss, func(tx *clientele.Tx) error { _, err := tx.Stocktake.Adjust(id, -2, "more"); return err }, stocktake.ErrInvalid)
	step(b.Session, approve, stocktake.ErrDenied) // who made it
	step(boss, approve, nil)
	if _, err := boss.Stocktake().Sign(ctx, id, "CFO"); err != nil {
		t.Fatal(err)
	}
	b.create(customer.Draft{Name: "C"}) // what comes later breaks no signature
	if err := b.Stocktake().Verify(ctx, id); err != nil {
		t.Fatal(err)
	}
	step(boss, func(tx *clientele.Tx) error { _, err := tx.Stocktake.File(id, "year-end"); return err }, nil)
	err = b.View(ctx, func(tx *clientele.ReadTx) error {
		result, err := tx.Stocktake.Result(id)
		if err != nil {
			return err
		}
		f := result.Filing
		if f.State != stocktake.Filed || f.Adjusted != 1 || len(f.History) != 4 || len(f.Signatures) != 1 || result.Reconciliation.Closing != 2 {
			t.Errorf("filing %+v", f)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDueCountsWaitForARun(t *testing.T) {
	b := newBook(t, clientele.Options{})
	b.create(customer.Draft{Name: "A"})
	d := b.save(stocktake.Definition{Name: "monthly", Every: stocktake.Monthly})
	due := func() (closings []string) {
		t.Helper()
		err := b.View(t.Context(), func(tx *clientele.ReadTx) error {
			list, err := tx.Stocktake.Due(b.now.get())
			for _, x := range list {
				closings = append(closings, x.Opening.Time.Format("2006-01-02")+" "+x.Closing.Time.Format("2006-01-02"))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return closings
	}
	b.now.set(day(2025, 3, 5))
	if got := due(); !slices.Equal(got, []string{"2025-02-01 2025-03-01"}) {
		t.Errorf("due at first: %v", got)
	}
	if _, err := b.Stocktake().Run(t.Context(), stocktake.Ask{Name: "monthly", Opening: instant(2025, 2, 1), Closing: instant(2025, 3, 1)}); err != nil {
		t.Fatal(err)
	}
	if got := due(); got != nil {
		t.Errorf("due after the run: %v", got)
	}
	b.now.set(day(2025, 5, 1))
	if got := due(); !slices.Equal(got, []string{"2025-03-01 2025-04-01", "2025-04-01 2025-05-01"}) {
		t.Errorf("due in May: %v", got)
	}
	d.Retired = true
	b.save(*d)
	if got := due(); got != nil {
		t.Errorf("due when retired: %v", got)
	}
}

func TestStaleDefinitionsAreRefused(t *testing.T) {
	b := newBook(t, clientele.Options{})
	d := b.save(stocktake.Definition{Name: "all"})
	b.save(*d)
	err := b.Update(t.Context(), func(tx *clientele.Tx) error {
		_, err := tx.Stocktake.SaveDefinition(*d)
		return err
	})
	if !errors.Is(err, stocktake.ErrConflict) {
		t.Errorf("a stale definition: %v", err)
	}
}

func TestDefinitionsSayWhatIsWrong(t *testing.T) {
	b := newBook(t, clientele.Options{})
	for name, d := range map[string]stocktake.Definition{
		"merged":    {Statuses: []customer.Status{customer.Merged}},
		"dimension": {Dimensions: []string{"phone"}},
		"tag":       {Dimensions: []string{"tag.nothing"}},
		"cross-tab": {CrossTabs: [][2]string{{"kind", "rep"}}, Dimensions: []string{"kind"}},
		"activity":  {Activity: &stocktake.ActivityRule{Active: 9, Lost: 3}},
		"check":     {Checks: []string{"none"}},
		"filter":    {Filter: "nothing:here"},
		"currency":  {Revenue: &stocktake.Measure{Attribute: "sales"}},
	} {
		if _, err := b.Stocktake().Count(t.Context(), stocktake.Ask{Definition: d}); err == nil {
			t.Errorf("%s: counted", name)
		}
	}
	_, err := b.Stocktake().Count(t.Context(), stocktake.Ask{Closing: instant(2999, 1, 1)})
	if !errors.Is(err, stocktake.ErrInvalid) {
		t.Errorf("a closing ahead: %v", err)
	}
}

func TestComparisonWithAnotherList(t *testing.T) {
	b := newBook(t, clientele.Options{})
	draft := func(name, ubn, phone string) customer.Draft {
		return customer.Draft{Name: name, Country: "TW", Identifiers: []customer.Identifier{{Scheme: "tw.ubn", Value: ubn}}, Phones: []customer.Phone{{Number: phone}}}
	}
	cement, foods := draft("台灣水泥股份有限公司", "11913502", "02-2531-7099"), draft("味全食品工業股份有限公司", "11347802", "02-2506-5020")
	b.create(cement, foods)
	other := cement
	other.Phones = []customer.Phone{{Number: "02-2531-7000"}}
	list := []customer.Draft{other, draft("亞洲水泥股份有限公司", "03244509", "02-2733-8000")}
	r := b.count(stocktake.Ask{Compare: &stocktake.List{Name: "ERP", Rows: func(yield func(customer.Draft, error) bool) {
		for _, d := range list {
			if !yield(d, nil) {
				return
			}
		}
	}}})
	x := r.Comparison
	if x.Rows != 2 || x.Matched+x.OnlyThere+x.Doubtful+x.Repeated != 2 || x.Matched != 1 || x.OnlyHere != 1 || len(x.HereSample) != 1 {
		t.Fatalf("%+v", x)
	}
	if len(x.Differing) != 1 || x.Differing[0].Field != "Phones" || x.Differing[0].Count != 1 {
		t.Errorf("differing %+v", x.Differing)
	}
}

// A clerk of one unit counts its customers alone, and may not read the book's runs.
func TestScopesNarrowCounts(t *testing.T) {
	b := newBook(t, clientele.Options{})
	var north, south customer.UnitID
	b.update(func(tx *clientele.Tx) error {
		n, err := tx.Org.CreateUnit(orgtree.Unit{Code: "N", Names: customer.Names{"en": "North"}})
		if err != nil {
			return err
		}
		s, err := tx.Org.CreateUnit(orgtree.Unit{Code: "S", Names: customer.Names{"en": "South"}})
		if err != nil {
			return err
		}
		north, south = n.ID, s.ID
		return nil
	})
	b.now.set(day(2025, 2, 1))
	ids := b.create(customer.Draft{Name: "A", Owner: north}, customer.Draft{Name: "B", Owner: north}, customer.Draft{Name: "C", Owner: south})
	b.save(stocktake.Definition{Name: "all", Dimensions: []string{"owner"}})
	b.now.set(day(2025, 3, 1))
	b.update(func(tx *clientele.Tx) error {
		_, err := tx.Dedupe.Merge(dedupe.Merge{Survivor: ids[0], Losers: []customer.ID{ids[1]}, Overrule: true})
		return err
	})
	b.now.set(day(2025, 4, 1))
	run, err := b.Stocktake().Run(t.Context(), stocktake.Ask{Name: "all", Opening: instant(2025, 2, 2), Closing: instant(2025, 4, 1)})
	if err != nil {
		t.Fatal(err)
	}
	b.update(func(tx *clientele.Tx) error { return grantClerk(tx, north) })
	clerk := b.book.As(clientele.Actor{ID: "clerk"})
	r, err := clerk.Stocktake().Count(t.Context(), stocktake.Ask{Name: "all", Opening: instant(2025, 2, 2), Closing: instant(2025, 4, 1)})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Scoped || r.Reconciliation != (stocktake.Reconciliation{Opening: 2, Merged: 1, Closing: 1}) || len(r.Dimensions[0].Rows) != 1 {
		t.Errorf("the clerk counts %+v by %+v", r.Reconciliation, r.Dimensions)
	}
	for name, read := range map[string]func(tx *clientele.ReadTx) error{
		"Run":    func(tx *clientele.ReadTx) error { _, err := tx.Stocktake.Run(run.Filing.Run); return err },
		"Result": func(tx *clientele.ReadTx) error { _, err := tx.Stocktake.Result(run.Filing.Run); return err },
		"Customers": func(tx *clientele.ReadTx) error {
			_, _, err := tx.Stocktake.Customers(run.Filing.Run, "closing", 0, 9)
			return err
		},
	} {
		if err := clerk.View(t.Context(), read); !errors.Is(err, stocktake.ErrDenied) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := clerk.Stocktake().Run(t.Context(), stocktake.Ask{Name: "all"}); !errors.Is(err, stocktake.ErrDenied) {
		t.Errorf("a clerk's run: %v", err)
	}
}

// grantClerk lets clerk review what is of a unit, and an administrator everything.
func grantClerk(tx *clientele.Tx, unit customer.UnitID) error {
	for name, rights := range map[string][]orgtree.Permission{
		"admin": {{Right: orgtree.AnyRight}}, "clerk": {{Right: customer.RightRead}, {Right: customer.RightReview}},
	} {
		if _, err := tx.Org.SetRole(orgtree.Role{Name: name, Permissions: rights}); err != nil {
			return err
		}
	}
	for _, g := range []orgtree.Grant{
		{Principal: "boss", Role: "admin", Scope: orgtree.Scope{All: true}}, {Principal: "clerk", Role: "clerk", Scope: orgtree.Scope{Unit: unit}},
	} {
		if _, err := tx.Org.SetPrincipal(orgtree.Principal{ID: g.Principal}); err != nil {
			return err
		}
		if _, err := tx.Org.Give(g); err != nil {
			return err
		}
	}
	return tx.Org.Enforce(true)
}
