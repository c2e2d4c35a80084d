package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/stocktake"
	"github.com/clientele-go/clientele/customer/stocktake/report"
)

// run opens or makes the book, counts, and writes the reports.
func run(ctx context.Context, out io.Writer, o *options) (err error) {
	book, err := open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	result, err := count(ctx, book, o)
	if err != nil {
		return err
	}
	show(out, result, o.lang)
	return write(out, result, o)
}

func open(ctx context.Context, o *options) (*clientele.Book, error) {
	if o.dir == "" {
		return makeBook(ctx, o)
	}
	if _, err := os.Stat(filepath.Join(o.dir, "records")); err != nil {
		return nil, fmt.Errorf("-dir %s is not a book: %w", o.dir, err)
	}
	return clientele.Open(ctx, o.dir, clientele.Options{WithoutSearch: true, Customers: customer.Options{Country: "TW"}})
}

// definitionName is the definition that the program saves in the book.
const definitionName = "example"

// count saves the definition, as a new version where it differs, and runs it.
func count(ctx context.Context, book *clientele.Book, o *options) (*stocktake.Result, error) {
	me := book.As(clientele.Actor{ID: "stocktake", Reason: "example"})
	err := me.Update(ctx, func(tx *clientele.Tx) error {
		d, err := definition(tx, o)
		if err != nil {
			return err
		}
		saved, err := tx.Stocktake.Definition(definitionName)
		if err == nil {
			same, err := equal(&d, saved)
			if same || err != nil {
				return err
			}
			d.Version = saved.Version
		} else if !errors.Is(err, stocktake.ErrNotFound) {
			return err
		}
		_, err = tx.Stocktake.SaveDefinition(d)
		return err
	})
	if err != nil {
		return nil, err
	}
	return me.Stocktake().Run(ctx, stocktake.Ask{
		Name: definitionName, Opening: stocktake.Instant{Time: o.from}, Closing: stocktake.Instant{Time: o.to},
	})
}

// equal reports whether two definitions are the same but for their versions.
func equal(a, b *stocktake.Definition) (bool, error) {
	x, err := json.Marshal(a)
	if err != nil {
		return false, err
	}
	y, err := json.Marshal(b)
	return bytes.Equal(x, y), err
}

// maxTags bounds the dimensions of tags that are shown.
const maxTags = 4

// definition counts everybody, by what the book has: its dimensions of tags among it, and
// what was invoiced.
func definition(tx *clientele.Tx, o *options) (stocktake.Definition, error) {
	d := stocktake.Definition{
		Name:       definitionName,
		Title:      customer.Names{"en": "All customers", "zh-Hans": "全部客户"},
		Dimensions: []string{"kind", "owner", "rep", "province"},
		CrossTabs:  [][2]string{{"owner", "kind"}},
		Activity:   &stocktake.ActivityRule{},
		Cohorts:    true, Aging: true,
		Checks: stocktake.CheckCodes(),
	}
	var err error
	if d.Revenue, err = revenue(tx, o); err != nil {
		return d, err
	}
	tags, err := tx.Tags.Dimensions()
	if err != nil {
		return d, err
	}
	for _, x := range tags[:min(len(tags), maxTags)] {
		d.Dimensions = append(d.Dimensions, "tag."+x.Code)
		d.CrossTabs = append(d.CrossTabs, [2]string{"tag." + x.Code, "kind"})
	}
	schema, err := tx.Customers.Schema()
	if err != nil {
		return d, err
	}
	if spec, found := schema.Spec(profitAttribute); found && spec.Type == customer.Number {
		d.Profit = &stocktake.Measure{Attribute: profitAttribute, Currency: "CNY"}
	}
	return d, nil
}

// maxRevenueMonths bounds how far back invoices are looked for.
const maxRevenueMonths = 120

// revenue is what was invoiced in the last year or, in a book that has older invoices alone,
// since the latest of them; nil for a book without.
func revenue(tx *clientele.Tx, o *options) (*stocktake.Measure, error) {
	var latest date.Date
	for c, err := range tx.Customers.List(customer.List{}) {
		if err != nil {
			return nil, err
		}
		a, err := tx.Credit.Activity(c.ID)
		if err != nil {
			return nil, err
		}
		latest = max(latest, a.LastInvoice)
	}
	closing := o.to
	if closing.IsZero() {
		closing = time.Now()
	}
	ago := int(date.Of(closing.UTC()).Month() - latest.Month())
	if latest == 0 || ago > maxRevenueMonths {
		return nil, nil
	}
	return &stocktake.Measure{Months: max(12, ago+11)}, nil
}

// line is one line of the reconciliation.
type line struct {
	sign   string
	en, zh string
	n      int64
}

// show prints the reconciliation.
func show(out io.Writer, r *stocktake.Result, lang language.Tag) {
	x := &r.Reconciliation
	fmt.Fprintf(out, "%s\n%s – %s UTC, journal %d – %d\n\n", r.Definition.Title.In(lang),
		r.Opening.Time.Format("2006-01-02 15:04"), r.Closing.Time.Format("2006-01-02 15:04"), r.Opening.Position, r.Closing.Position)
	for _, l := range []line{
		{" ", "opening", "期初", x.Opening},
		{"+", "new", "新增", x.New}, {"+", "reactivated", "重新启用", x.Reactivated}, {"+", "unmerged", "撤销合并", x.Unmerged}, {"+", "entered otherwise", "其他转入", x.Entered},
		{"−", "merged", "合并", x.Merged}, {"−", "archived", "归档", x.Archived}, {"−", "erased", "删除", x.Erased}, {"−", "left otherwise", "其他转出", x.Left},
		{"=", "closing", "期末", x.Closing},
	} {
		title := l.en
		if lang != language.English {
			title = l.zh
		}
		fmt.Fprintf(out, "%s %10d  %s\n", l.sign, l.n, title)
	}
	fmt.Fprintln(out)
	for _, c := range r.Checks {
		if c.Count > 0 {
			fmt.Fprintf(out, "%10d  %s\n", c.Count, c.Title.In(lang))
		}
	}
	for _, u := range r.Unusual {
		fmt.Fprintf(out, "%10s  %s\n", u.Month, u.Explanation.In(lang))
	}
}

// write writes the four reports.
func write(out io.Writer, r *stocktake.Result, o *options) error {
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	opts := report.Options{Language: o.lang}
	if o.font != "" {
		opts.Fonts = []string{o.font}
	}
	fmt.Fprintln(out)
	for _, f := range []struct {
		name string
		make func(io.Writer, *stocktake.Result, report.Options) error
	}{{"stocktake.html", report.HTML}, {"stocktake.xlsx", report.XLSX}, {"stocktake.csv", report.CSV}, {"stocktake.pdf", report.PDF}} {
		path := filepath.Join(o.out, f.name)
		var content bytes.Buffer
		if err := f.make(&content, r, opts); err != nil {
			if errors.Is(err, report.ErrFont) { // the others are good without
				fmt.Fprintf(out, "%s: not written: %v\n", path, err)
				continue
			}
			return err
		}
		if err := os.WriteFile(path, content.Bytes(), 0o644); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: %d KB\n", path, (content.Len()+1023)/1024)
	}
	return nil
}
