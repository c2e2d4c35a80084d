// Plugin runs the plug-in of folder retail on a small book: it shows the shops with what
// rules and a classifier say of them, why, what a month without a visit changes, and what
// a failing plug-in leaves behind.
//
//	go run ./examples/plugin
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/identifier"
	"github.com/clientele-go/clientele/examples/plugin/retail"
	"github.com/clientele-go/clientele/tagging/classify"
)

func main() {
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "plugin: takes neither arguments nor flags; what is %q?\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "plugin:", err)
		os.Exit(1)
	}
}

// shop is a customer of the example.
type shop struct {
	draft   customer.Draft
	visited time.Time
	orders  int64 // this month
}

func shops() []shop {
	area := []customer.Attribute{{Name: "area", Value: customer.NumberValue(8000)}}
	gln := []customer.Identifier{{Scheme: "gs1.gln", Value: "(414) 629104150021-3"}}
	return []shop{
		{draft: customer.Draft{Name: "浦东大卖场", Attributes: area}, visited: day(2), orders: 6},
		{draft: customer.Draft{Name: "好邻居便利店"}, visited: day(5)},
		{draft: customer.Draft{Name: "东方超市"}, orders: 2},
		{draft: customer.Draft{Name: "Acme Department Store", Identifiers: gln}, visited: day(14), orders: 1},
		{draft: customer.Draft{Name: "好物网", Website: "https://shop.example.com"}, visited: day(1), orders: 9},
		{draft: customer.Draft{Name: "王记杂货"}, visited: day(1)},
	}
}

// day is noon of a day in January 2026.
func day(n int) time.Time { return time.Date(2026, 1, n, 12, 0, 0, 0, time.UTC) }

// demo is a book with the plug-in, and a clock that stands still.
type demo struct {
	book *clientele.Book
	me   *clientele.Session
	out  io.Writer
	now  time.Time
}

func run(ctx context.Context, out io.Writer) (err error) {
	d := &demo{out: out, now: day(15)}
	d.book, err = clientele.Open(ctx, "", clientele.Options{
		InMemory: true, WithoutSearch: true,
		Clock: func() time.Time { return d.now }, TickEvery: -1, // the example moves the clock itself
		Customers: customer.Options{Schemes: []identifier.Scheme{retail.GLN()}},
		Rules: classify.Options{
			Classifiers: []classify.Classifier{retail.Visits{EveryDays: 30}, faulty{}},
		},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.book.Close()) }()
	d.me = d.book.As(clientele.Actor{ID: "plugin", Reason: "example"})
	for _, step := range []func(context.Context) error{d.fill, d.activate, d.show, d.explain, d.wait, d.failures} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// fill declares the plug-in's attributes and stores the shops.
func (d *demo) fill(ctx context.Context) error {
	return d.me.Update(ctx, func(tx *clientele.Tx) error {
		if err := tx.Customers.SetSchema(&customer.Schema{Attributes: retail.Attributes()}); err != nil {
			return err
		}
		for _, s := range shops() {
			c, err := tx.Customers.Create(s.draft)
			if err != nil {
				return err
			}
			if err := record(tx, c.ID, s); err != nil {
				return err
			}
		}
		return nil
	})
}

func record(tx *clientele.Tx, id customer.ID, s shop) error {
	if !s.visited.IsZero() {
		if err := tx.Customers.Record(id, customer.Event{Type: "visit", Time: s.visited}); err != nil {
			return err
		}
	}
	if s.orders > 0 {
		return tx.Customers.Record(id, customer.Event{Type: "order", Count: s.orders})
	}
	return nil
}

func (d *demo) activate(ctx context.Context) error {
	channels, err := retail.Channels()
	if err != nil {
		return err
	}
	done, err := d.book.Rules().Activate(ctx, d.me.Job(), channels, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "Rule set %s, version %d: %d of %d shops classified.\n", done.Set, done.Version, done.Changed, done.Evaluated)
	return nil
}

// show prints the shops and their tags at the present time.
func (d *demo) show(ctx context.Context) error {
	if err := d.book.Rules().Sync(ctx); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "\n%s\n", d.now.Format("2 January 2006"))
	table := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "id\tchannel\tvisit\tname")
	err := d.me.View(ctx, func(tx *clientele.ReadTx) error {
		for c, err := range tx.Customers.List(customer.List{}) {
			if err != nil {
				return err
			}
			channel, err := tagIn(tx, c.ID, "channel")
			if err != nil {
				return err
			}
			visit, err := tagIn(tx, c.ID, "visit")
			if err != nil {
				return err
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", c.ID, channel, visit, c.Name)
		}
		return nil
	})
	return errors.Join(err, table.Flush())
}

// tagIn returns the code of a customer's tag in an exclusive dimension.
func tagIn(tx *clientele.ReadTx, id customer.ID, dimension string) (string, error) {
	d, err := tx.Tags.Dimension(dimension)
	if err != nil {
		return "", err
	}
	tagged, err := tx.Tags.Of(id)
	if err != nil {
		return "", err
	}
	held := tagged.In(d.ID)
	if len(held) == 0 {
		return "-", nil
	}
	tag, err := tx.Tags.TagByID(held[0])
	if err != nil {
		return "", err
	}
	return tag.Code, nil
}

// explain says why the department store is of the modern trade.
func (d *demo) explain(ctx context.Context) error {
	x, err := d.book.Rules().Explain(ctx, 4, classify.TagRef{Dimension: "channel", Tag: "modern"}, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "\nWhy is customer %s %s?\n", x.Customer, x.TagRef)
	for _, rule := range x.Rules {
		fmt.Fprintf(d.out, "  rule %s/%s, version %d: %s\n", rule.Set, rule.Rule, rule.Version, rule.Why)
		for _, fact := range rule.Facts {
			fmt.Fprintf(d.out, "    %s is %s\n", fact.Name, fact.Value)
		}
	}
	return nil
}

// wait lets 20 days pass. Only those whom the clock concerns are looked at.
func (d *demo) wait(ctx context.Context) error {
	d.now = d.now.AddDate(0, 0, 20)
	n, err := d.book.Rules().Tick(ctx, d.now)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "\n20 days later the clock concerns %d shops.\n", n)
	return d.show(ctx)
}

// faulty is a classifier that fails for shops without a website.
type faulty struct{}

func (faulty) Name() string    { return "faulty" }
func (faulty) Version() uint64 { return 1 }
func (faulty) Facts() []string { return []string{"customer.website"} }
func (faulty) Dimensions() []classify.DimensionSpec {
	return []classify.DimensionSpec{{Code: "protocol", Tags: []classify.TagSpec{{Code: "s"}}}}
}

func (faulty) Classify(_ context.Context, f classify.Facts) (classify.Verdict, error) {
	protocol := f.Value("customer.website").Text()[:5] // panics for a text that is shorter
	return classify.Verdict{Tags: []classify.TagRef{{Dimension: "protocol", Tag: protocol[4:]}}}, nil
}

// failures prints the reports of what failed. Nothing above was stopped by it.
func (d *demo) failures(ctx context.Context) error {
	reports, err := d.book.Rules().Failures(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "\nFailures:\n")
	for _, f := range reports {
		fmt.Fprintf(d.out, "  %s/%s, version %d, for customer %s last, %d times since %s:\n    %s\n",
			f.Set, f.Rule, f.Version, f.Customer, f.Count, f.Since.Format("2 January 2006 15:04"), f.Error)
	}
	return nil
}
