package clientele_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/tagging"
)

// office is a book in memory for imports.
type office struct {
	t    *testing.T
	book *clientele.Book
	me   *clientele.Session
}

func newOffice(t *testing.T, opts clientele.Options) *office {
	t.Helper()
	opts.InMemory, opts.WithoutSearch, opts.TickEvery = true, true, -1
	book, err := clientele.Open(t.Context(), "", opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := book.Close(); err != nil {
			t.Error(err)
		}
	})
	return &office{t, book, book.As(clientele.Actor{ID: "importer", Reason: "test"})}
}

// imported runs an import of a list and returns its end and what was wrong, as row/column
// code.
func (o *office) imported(content string, im exchange.Import) (exchange.Progress, []string) {
	o.t.Helper()
	var faults []string
	im.File = listFile(content)
	im.Faults = func(f exchange.Fault) {
		faults = append(faults, fmt.Sprintf("%d/%d %s", f.Row, f.Column, f.Code))
		for _, tag := range []language.Tag{language.English, language.Chinese} {
			if f.In(tag) == "" {
				o.t.Errorf("%+v has no sentence in %s", f, tag)
			}
		}
	}
	p, err := o.me.Exchange().Import(o.t.Context(), im)
	if err != nil {
		o.t.Fatal(err)
	}
	return p, faults
}

func (o *office) update(f func(tx *clientele.Tx) error) {
	o.t.Helper()
	if err := o.me.Update(o.t.Context(), f); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) view(f func(tx *clientele.ReadTx) error) {
	o.t.Helper()
	if err := o.me.View(o.t.Context(), f); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) undo(p exchange.Progress) {
	o.t.Helper()
	if err := o.me.Exchange().Undo(o.t.Context(), p.Job); err != nil {
		o.t.Fatal(err)
	}
}

// dependents is why an import can't be undone.
func (o *office) dependents(p exchange.Progress) []string {
	o.t.Helper()
	var depended *exchange.DependentsError
	if err := o.me.Exchange().Undo(o.t.Context(), p.Job); !errors.As(err, &depended) {
		o.t.Fatalf("undo: %v", err)
	}
	var list []string
	for _, d := range depended.Dependents {
		list = append(list, fmt.Sprintf("row %d: %s", d.Row, d.Reason))
	}
	return list
}

func wantFaults(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("faults %q, want %q", got, want)
	}
}

func wantSummary(t *testing.T, p exchange.Progress, want exchange.Summary) {
	t.Helper()
	if p.Summary != want {
		t.Errorf("%+v, want %+v", p.Summary, want)
	}
}

const threeCustomers = "客户编码,客户名称\nC1,上海汽车集团股份有限公司\nC2,中国石油化工股份有限公司\nC3,宝山钢铁股份有限公司\n"

func TestUnitsAreImportedParentsInAnyOrder(t *testing.T) {
	o := newOffice(t, clientele.Options{})
	list := "部门编码,部门名称,英文名称,上级部门编码,类型\n" +
		"SH,上海分公司,Shanghai,EAST,分公司\nEAST,华东大区,,HQ,大区\nHQ,总部,Headquarters,,集团\nX,无主,,NONE,\nY,怪,,HQ,星系\n,空,,,\n"
	im := exchange.Import{Subject: exchange.Units}
	dry, faults := o.imported(list, exchange.Import{Subject: exchange.Units, DryRun: true})
	wantSummary(t, dry, exchange.Summary{Read: 6, Created: 3, Refused: 3})
	wantFaults(t, faults, "5/4 unknown", "6/5 unknown", "7/1 required")
	p, _ := o.imported(list, im)
	wantSummary(t, p, exchange.Summary{Read: 6, Created: 3, Refused: 3})
	shown := func() (list []string) {
		o.view(func(tx *clientele.ReadTx) error {
			tree, err := tx.Org.Tree()
			if err != nil {
				return err
			}
			units, err := tx.Org.Units(tree.At())
			for _, u := range units {
				above, _ := tree.Unit(u.Parent)
				code := ""
				if above != nil && u.Parent != 0 {
					code = above.Code
				}
				if u.ID != 0 && u.Closed.IsZero() {
					list = append(list, fmt.Sprintf("%s<%s %s %s", u.Code, code, u.Kind, u.Names.In(language.Chinese)))
				}
			}
			return err
		})
		slices.Sort(list)
		return list
	}
	want := []string{"EAST<HQ region 华东大区", "HQ< group 总部", "SH<EAST branch 上海分公司"}
	if got := shown(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	changed, _ := o.imported("unit code,unit name,parent\nSH,Shanghai branch,HQ\nEAST,华东大区,HQ\n", im)
	wantSummary(t, changed, exchange.Summary{Read: 2, Updated: 1, Unchanged: 1})
	o.undo(changed)
	if got := shown(); !slices.Equal(got, want) {
		t.Errorf("undone: %q, want %q", got, want)
	}
	o.update(func(tx *clientele.Tx) error {
		u, err := tx.Org.UnitByCode("EAST")
		if err == nil {
			_, err = tx.Customers.Create(customer.Draft{Name: "甲", Owner: u.ID})
		}
		return err
	})
	if got := o.dependents(p); len(got) != 3 || got[0] != "row 4: unit HQ has 1 customers" || got[1] != "row 3: unit EAST has 1 customers" || !strings.HasPrefix(got[2], "row 2: the unit was changed since") {
		t.Errorf("undo of units in use: %q", got)
	}
}

func TestImportedUnitsAreClosedByUndo(t *testing.T) {
	o := newOffice(t, clientele.Options{})
	p, _ := o.imported("code,name,parent\nA,Group A,\nB,Branch B,A\n", exchange.Import{Subject: exchange.Units})
	o.undo(p)
	o.view(func(tx *clientele.ReadTx) error {
		u, err := tx.Org.UnitByCode("A")
		if err == nil && u.Closed.IsZero() {
			t.Error("unit A is open")
		}
		return err
	})
}

func TestReceivablesAreImportedOnceAndTakenBack(t *testing.T) {
	o := newOffice(t, clientele.Options{})
	o.imported(threeCustomers, exchange.Import{})
	list := "单据编号,客户编码,单据类型,单据日期,到期日,币种,金额,备注\n" +
		"INV-1,C1,发票,2026-01-05,2026-02-04,人民币,\"1,000.50\",头期\n" +
		"INV-2,C2,,2026/1/6,,USD,200,\n" +
		"PAY-1,C1,收款,2026-01-20,,,300,\n" +
		"CN-1,C3,红字发票,2026-01-21,,CNY,(50.00),\n" + // in parentheses, of a kind that says its side
		"INV-3,C9,发票,2026-01-05,,,1,\n" + // nobody has the code
		"INV-4,C1,发票,2026-13-05,,,1,\n" + // no such month
		"INV-5,C1,发票,2026-01-05,,,1.005,\n" + // more digits than CNY has
		"INV-6,C1,发票,2026-01-05,,QQQ?,1,\n" +
		"INV-1,C1,发票,2026-01-05,2026-02-04,CNY,999,\n" + // the number is taken, by another amount
		",C1,发票,2026-01-05,,CNY,1,\n" +
		"CN-2,C3,红字发票,2026-01-21,,CNY,(-5),\n" + // either 5 or -5
		"CN-3,C3,红字发票,2026-01-21,,CNY,（20）,\n" // full-width
	im := exchange.Import{Subject: exchange.Items}
	want := exchange.Summary{Read: 12, Created: 5, Refused: 7}
	dry, _ := o.imported(list, exchange.Import{Subject: exchange.Items, DryRun: true})
	wantSummary(t, dry, want)
	p, faults := o.imported(list, im)
	wantSummary(t, p, want)
	wantFaults(t, faults, "6/0 not_found", "7/4 malformed", "8/7 malformed", "9/6 unknown", "10/1 posted", "11/1 required", "12/7 malformed")
	balances := func() (list []string) {
		o.view(func(tx *clientele.ReadTx) error {
			for id := customer.ID(1); id <= 3; id++ {
				all, err := tx.Credit.Balances(id)
				if err != nil {
					return err
				}
				for _, b := range all {
					list = append(list, fmt.Sprintf("%d %s", id, decimal(b)))
				}
			}
			return nil
		})
		return list
	}
	// 1,000.50 less 300; 200; less 50 and 20.
	if got := fmt.Sprint(balances()); !strings.Contains(got, "700.50") || !strings.Contains(got, "200.00") || !strings.Contains(got, "-70.00") {
		t.Errorf("balances %s", got)
	}
	again, _ := o.imported(list, exchange.Import{Subject: exchange.Items, Again: true})
	wantSummary(t, again, exchange.Summary{Read: 12, Unchanged: 5, Refused: 7})
	o.undo(p)
	o.view(func(tx *clientele.ReadTx) error {
		for id := customer.ID(1); id <= 3; id++ {
			all, err := tx.Credit.Balances(id)
			for _, b := range all {
				if b.Net() != 0 {
					t.Errorf("after undo customer %d owes %s", id, decimal(b))
				}
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	again, faults = o.imported(list, exchange.Import{Subject: exchange.Items, Again: true})
	if again.Summary.Created != 0 || faults[0] != "2/1 posted" {
		t.Errorf("reversed documents came back: %+v, %q", again.Summary, faults)
	}
}

func decimal(b credit.Balance) string {
	return money.Amount{Minor: b.Net(), Currency: b.Currency}.Decimal()
}

func TestSettledDocumentsKeepTheirImport(t *testing.T) {
	o := newOffice(t, clientele.Options{})
	o.imported(threeCustomers, exchange.Import{})
	p, _ := o.imported("document no,customer,date,amount\nI1,上海汽车集团股份有限公司,2026-01-05,10\nI2,C2,2026-01-05,20\n", exchange.Import{Subject: exchange.Items})
	wantSummary(t, p, exchange.Summary{Read: 2, Created: 1, Refused: 1}) // C2 is no name
	o.update(func(tx *clientele.Tx) error {
		items, err := tx.Credit.Document("I1")
		if err != nil {
			return err
		}
		paid, err := tx.Credit.Post(credit.Document{Key: "P1", Customer: items[0].Customer, Kind: credit.Payment, Date: items[0].Date, Amount: items[0].Amount})
		if err != nil {
			return err
		}
		_, err = tx.Credit.Allocate(credit.AllocationRequest{Debit: items[0].ID, Credit: paid[0].ID, Amount: items[0].Amount.Minor, Date: items[0].Date})
		return err
	})
	if got, want := o.dependents(p), []string{"row 2: the document I1 is settled in part or whole"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	customers, err := o.me.Exchange().Jobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := o.dependents(exchange.Progress{Job: customers[1].ID}); !slices.Equal(got, []string{"row 2: the customer has receivables"}) {
		t.Errorf("undo of the customers: %q", got)
	}
}

func TestOpeningBalances(t *testing.T) {
	o := newOffice(t, clientele.Options{})
	o.imported(threeCustomers, exchange.Import{})
	im := exchange.Import{Subject: exchange.Balances, Day: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	list := "往来单位编码,期初应收,期初预收\nC1,\"12,345.67\",\nC2,,500\nC3,0,\n"
	p, faults := o.imported(list, im)
	wantSummary(t, p, exchange.Summary{Read: 3, Created: 2, Unchanged: 1})
	wantFaults(t, faults)
	o.view(func(tx *clientele.ReadTx) error {
		for id, want := range map[customer.ID]string{1: "12345.67", 2: "-500.00"} {
			all, err := tx.Credit.Balances(id)
			if err != nil || len(all) != 1 || decimal(all[0]) != want {
				t.Errorf("customer %d: %v, %v; want %s", id, all, err, want)
			}
		}
		return nil
	})
	im.Again = true
	if p, _ := o.imported(list, im); p.Summary.Unchanged != 3 {
		t.Errorf("again: %+v", p.Summary)
	}
	_, err := o.me.Exchange().Import(t.Context(), exchange.Import{File: listFile("a,b\n1,2\n"), Subject: exchange.Balances})
	if !errors.Is(err, exchange.ErrMapping) {
		t.Errorf("a file without amounts: %v", err)
	}
}

// Two rows of one customer may be two parts of what it owes: the second isn't passed over.
func TestRepeatedDocumentsAreToldNotPassedOver(t *testing.T) {
	o := newOffice(t, clientele.Options{})
	o.imported(threeCustomers, exchange.Import{})
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, dry := range []bool{true, false} {
		p, faults := o.imported("往来单位编码,期初应收\nC1,100\nC1,100\n", exchange.Import{Subject: exchange.Balances, Day: day, DryRun: dry})
		wantSummary(t, p, exchange.Summary{Read: 2, Created: 1, Refused: 1})
		wantFaults(t, faults, "3/2 duplicate")
		p, faults = o.imported("单据编号,客户编码,金额\nINV-1,C2,100\nINV-1,C2,100\n", exchange.Import{Subject: exchange.Items, Day: day, DryRun: dry})
		wantSummary(t, p, exchange.Summary{Read: 2, Created: 1, Refused: 1})
		wantFaults(t, faults, "3/1 duplicate")
	}
}

func TestScoresAreImported(t *testing.T) {
	o := newOffice(t, clientele.Options{})
	customers, _ := o.imported(threeCustomers, exchange.Import{})
	list := "客户编码,评级机构,信用评分,评分日期\nC1,dnb,72,2026-01-05\nC1,dnb,75,2026-02-05\nC2,experian,x,2026-01-05\nC1,dnb,99,2026-01-05\n"
	p, faults := o.imported(list, exchange.Import{Subject: exchange.Scores})
	wantSummary(t, p, exchange.Summary{Read: 4, Created: 2, Refused: 2})
	wantFaults(t, faults, "4/3 malformed", "5/3 duplicate")
	scores, err := o.me.Scores(t.Context(), 1)
	if err != nil || len(scores) != 2 || scores[0].Provider != "dnb" || scores[0].Value != 72 || scores[1].Day != date.Of(time.Date(2026, 2, 5, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v, %v", scores, err)
	}
	if got := o.dependents(customers); !slices.Equal(got, []string{"row 2: it was given a credit score"}) {
		t.Errorf("undo of the customers: %q", got)
	}
	o.undo(p)
	if scores, err = o.me.Scores(t.Context(), 1); len(scores) != 0 || err != nil {
		t.Errorf("undone: %+v, %v", scores, err)
	}
	o.undo(customers)
}

func (o *office) dimension(code string, exclusive bool, tags ...string) {
	o.t.Helper()
	o.update(func(tx *clientele.Tx) error {
		d, err := tx.Tags.CreateDimension(tagging.Dimension{Code: code, Exclusive: exclusive, Names: customer.Names{"zh-Hans": code}})
		for _, tag := range tags {
			if err == nil {
				_, err = tx.Tags.CreateTag(tagging.Tag{Dimension: d.ID, Code: tag})
			}
		}
		return err
	})
}

// tagged lists a customer's tags.
func (o *office) tagged(id customer.ID) (list []string) {
	o.t.Helper()
	o.view(func(tx *clientele.ReadTx) error {
		t, err := tx.Tags.Of(id)
		if err != nil {
			return err
		}
		for _, tag := range t.Tags() {
			x, err := tx.Tags.TagByID(tag)
			if err != nil {
				return err
			}
			list = append(list, x.Code)
		}
		return nil
	})
	slices.Sort(list)
	return list
}

func TestTagsAloneAreImportedAndTakenBack(t *testing.T) {
	o := newOffice(t, clientele.Options{})
	o.dimension("level", true, "vip", "normal")
	o.dimension("interest", false, "steel", "cars")
	customers, _ := o.imported(threeCustomers, exchange.Import{})
	first, _ := o.imported("客户编码,level,interest\nC1,normal,steel\n", exchange.Import{})
	wantSummary(t, first, exchange.Summary{Read: 1, Updated: 1})
	list := "客户编码,level,interest\nC1,vip,cars;steel\nC2,,steel\nC9,vip,\nC3,gold,\n"
	p, faults := o.imported(list, exchange.Import{})
	wantSummary(t, p, exchange.Summary{Read: 4, Updated: 2, Refused: 2})
	wantFaults(t, faults, "4/0 not_found", "5/2 unknown")
	if got := o.tagged(1); !slices.Equal(got, []string{"cars", "steel", "vip"}) {
		t.Errorf("tagged %q", got)
	}
	o.undo(p)
	if got := o.tagged(1); !slices.Equal(got, []string{"normal", "steel"}) || len(o.tagged(2)) != 0 {
		t.Errorf("undone: %q, %q", got, o.tagged(2))
	}
	o.view(func(tx *clientele.ReadTx) error { // the records were not touched
		c, err := tx.Customers.Get(1)
		if err == nil && c.Version != 1 {
			t.Errorf("version %d", c.Version)
		}
		return err
	})
	p, _ = o.imported(list, exchange.Import{Again: true})
	o.update(func(tx *clientele.Tx) error {
		tag, err := tx.Tags.Tag("level", "normal")
		if err == nil {
			_, err = tx.Tags.Replace(1, tagging.Assignment{Tag: tag.ID})
		}
		return err
	})
	if got := o.dependents(p); !slices.Equal(got, []string{"row 2: the customer was tagged since, by importer"}) {
		t.Errorf("undo after a person tagged: %q", got)
	}
	if got := o.dependents(customers); len(got) == 0 || got[len(got)-1] != "row 2: the customer was tagged since, by importer" {
		t.Errorf("undo of the customers: %q", got)
	}
}

func TestFlaggedDuplicatesAreInTheQueue(t *testing.T) {
	o := newOffice(t, clientele.Options{})
	o.imported(threeCustomers, exchange.Import{})
	p, _ := o.imported("name,phone\n上海汽车集团股份有限公司,021-22011138\n", exchange.Import{Duplicates: exchange.FlagDuplicates})
	wantSummary(t, p, exchange.Summary{Read: 1, Created: 1})
	o.view(func(tx *clientele.ReadTx) error {
		n := 0
		for pair, err := range tx.Dedupe.Queue() {
			if err != nil {
				return err
			}
			if n++; pair.A != 1 || pair.B != 4 {
				t.Errorf("queue: %+v", pair)
			}
		}
		if n != 1 {
			t.Errorf("%d pairs in the queue", n)
		}
		return nil
	})
}

func TestImportsKeepToQuotas(t *testing.T) {
	o := newOffice(t, clientele.Options{})
	o.update(func(tx *clientele.Tx) error {
		_, err := tx.Org.CreateUnit(orgtree.Unit{Code: "SH", Names: customer.Names{"en": "Shanghai"}, Quota: 450})
		return err
	})
	var list strings.Builder
	list.WriteString("code,name,branch\n")
	for i := range 500 { // more than are loaded in bulk otherwise
		fmt.Fprintf(&list, "K%d,Customer number %d Ltd.,SH\n", i, i)
	}
	p, faults := o.imported(list.String(), exchange.Import{})
	wantSummary(t, p, exchange.Summary{Read: 500, Created: 450, Refused: 50})
	if len(faults) != 50 || faults[0] != "452/0 quota" {
		t.Errorf("%d faults, %.60q", len(faults), faults)
	}
}

func TestErasedCustomersLeaveNoCellInImports(t *testing.T) {
	o := newOffice(t, clientele.Options{})
	secret := "no-mail-of-wang"
	list := "code,name,email\nC1,Wang Li," + secret + "1\nC2,Chen Wei,c@d.cn\n,Nobody Known," + secret + "2\n"
	first, _ := o.imported(list, exchange.Import{ToNote: true}) // C1 is created, with the value in its note
	wantSummary(t, first, exchange.Summary{Read: 3, Created: 3, Kept: 2})
	second, _ := o.imported("code,name,email\nC1,Wang Li,"+secret+"3\nC9,Never Was,"+secret+"4\nC2,Chen Wei,c@d.cn\n", exchange.Import{}) // refused
	wantSummary(t, second, exchange.Summary{Read: 3, Unchanged: 1, Refused: 2})
	o.imported("code,score,bureau,date\nC1,7,dnb,2026-01-01\n", exchange.Import{Subject: exchange.Scores})
	o.update(func(tx *clientele.Tx) error { _, err := tx.Customers.Erase(1); return err })
	if _, err := o.book.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	dump := func() string {
		var out bytes.Buffer
		if err := o.book.Dump(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	values := func() (all string) {
		for _, job := range []exchange.JobID{first.Job, second.Job} {
			list, err := o.me.Exchange().Faults(t.Context(), job)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range list {
				all += fmt.Sprintf("%d %s %s; ", f.Row, f.Code, f.Value)
			}
		}
		return all
	}
	if got, want := values(), "2 malformed ; 4 malformed "+secret+"2; 2 malformed ; 3 malformed "+secret+"4; "; got != want {
		t.Errorf("faults %q, want %q", got, want)
	}
	if err := o.me.Exchange().Forget(t.Context(), second.Job); err != nil {
		t.Fatal(err)
	}
	if got := values(); strings.Contains(got, secret+"4") || !strings.Contains(got, "3 malformed ; ") {
		t.Errorf("forgotten, faults are %q", got)
	}
	if text := dump(); strings.Contains(text, secret+"1") || strings.Contains(text, secret+"3") || strings.Contains(text, secret+"4") {
		t.Error("the book still holds a cell that was to be forgotten")
	}
	if report, err := o.book.Verify(t.Context(), nil); err != nil || !report.OK() {
		t.Errorf("%v, %v", report, err)
	}
	if scores, err := o.me.Scores(t.Context(), 1); len(scores) > 0 {
		t.Errorf("scores of an erased customer: %v, %v", scores, err)
	}
}
