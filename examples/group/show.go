package main

import (
	"errors"
	"fmt"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/tagging"
)

// count returns how many customers a person sees.
func (g *group) count(who string) (n int64, err error) {
	err = g.as(who, "counting").View(g.ctx, func(tx *clientele.ReadTx) error {
		n, err = tx.Tags.Count(tagging.Query{})
		return err
	})
	return n, err
}

// sees reports whether a person sees a customer.
func (g *group) sees(who string, id customer.ID) (sees bool, err error) {
	err = g.as(who, "looking").View(g.ctx, func(tx *clientele.ReadTx) error {
		_, err := tx.Customers.Get(id)
		if errors.Is(err, customer.ErrNotFound) {
			return nil
		}
		sees = err == nil
		return err
	})
	return sees, err
}

// isolation counts the same book as different people.
func (g *group) isolation() error {
	g.say("\nThe same question, asked by different people: how many customers are there?")
	for _, who := range []string{"admin", "auditor", "manager.east", "clerk.sha", "clerk.hgh", "nobody.yet"} {
		n, err := g.count(who)
		if err != nil {
			return err
		}
		g.say("  %-13s %5d", who, n)
	}
	return g.as("auditor", "a look at one customer").View(g.ctx, func(tx *clientele.ReadTx) error {
		c, err := tx.Customers.Get(g.first["SHA"])
		if err != nil {
			return err
		}
		g.say("The auditor sees %s of %s, with %d phones and %d e-mail addresses: they are hidden.", c.Code, c.Name, len(c.Phones), len(c.Emails))
		return nil
	})
}

// sharing lets Hangzhou help with a customer of Shanghai.
func (g *group) sharing() error {
	id := g.first["SHA"]
	before, err := g.sees("clerk.hgh", id)
	if err != nil {
		return err
	}
	err = g.as("admin", "Hangzhou delivers for Shanghai").Update(g.ctx, func(tx *clientele.Tx) error {
		u, err := tx.Org.Unit(g.units["SHA"])
		if err != nil {
			return err
		}
		u.Sharing[customer.Identity] = orgtree.Assigned
		if _, err := tx.Org.UpdateUnit(u); err != nil {
			return err
		}
		_, err = tx.Org.Assign(id, orgtree.Assignment{Unit: g.units["HGH"]})
		return err
	})
	if err != nil {
		return err
	}
	after, err := g.sees("clerk.hgh", id)
	g.say("\nShanghai shares one customer with Hangzhou. Hangzhou saw it before: %t, sees it now: %t.", before, after)
	return err
}

// transfer moves a customer from one branch to another.
func (g *group) transfer() error {
	id := g.first["NKG"]
	err := g.as("manager.east", "moved to Suzhou").Update(g.ctx, func(tx *clientele.Tx) error {
		_, err := tx.Org.Transfer(id, orgtree.Destination{Unit: g.units["SZV"]})
		return err
	})
	if err != nil {
		return err
	}
	return g.as("manager.east", "where it has been").View(g.ctx, func(tx *clientele.ReadTx) error {
		moves := 0
		for _, err := range tx.Org.Transfers(id) {
			if err != nil {
				return err
			}
			moves++
		}
		g.say("A customer of Nanjing now belongs to Suzhou; its history has %d entries of where it was.", moves)
		return nil
	})
}

// totals shows the consolidated view from headquarters: parts add up, shared customers
// count once.
func (g *group) totals() error {
	return g.as("admin", "the monthly figures").View(g.ctx, func(tx *clientele.ReadTx) error {
		g.say("\nHeadquarters, live:")
		for _, code := range []string{"HQ", "EAST"} {
			c, err := tx.Org.Consolidate(g.units[code])
			if err != nil {
				return err
			}
			g.say("  %-6s %5d customers, %d of them shared among its parts", code, c.Total.Own, c.SharedAmong)
			for _, part := range c.Parts {
				g.say("    %-11s %5d", partName(c, part), part.Own)
			}
		}
		return nil
	})
}

// partName tells what a unit has by itself from what it has with all below.
func partName(c *orgtree.Consolidation, part orgtree.Consolidated) string {
	if part.Code == c.Total.Code {
		return part.Code + " itself"
	}
	return part.Code
}

// invoice bills the first customer of each branch of the east: one is due in ten days,
// the others since 10, 45 and 100 days.
func (g *group) invoice() error {
	return g.book.System("invoices").Update(g.ctx, func(tx *clientele.Tx) error {
		today := date.Of(tx.Storage.Now())
		for i, x := range []struct {
			branch  string
			overdue int
		}{{"SHA", -10}, {"HGH", 10}, {"NKG", 45}, {"SZV", 100}} {
			fen := int64(i+1) * 100_000
			_, err := tx.Credit.Post(credit.Document{Key: "INV-" + x.branch, Customer: g.first[x.branch], Kind: credit.Invoice, Date: today - 120,
				Amount:      money.Amount{Minor: fen, Currency: money.CNY},
				Instalments: []credit.Instalment{{Due: today - date.Date(x.overdue), Amount: fen}}})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// receivables shows what is owed in the east by branch: to its manager, and to a clerk who
// sees one branch.
func (g *group) receivables() error {
	for _, who := range []string{"manager.east", "clerk.sha"} {
		err := g.as(who, "what is owed").View(g.ctx, func(tx *clientele.ReadTx) error {
			q := credit.AgingQuery{Buckets: aging.Standard(), Currency: money.CNY}
			c, err := tx.Org.Consolidate(g.units["EAST"], clientele.AgingMeasure(tx.Credit, q))
			if err != nil {
				return err
			}
			g.say("\nReceivables of the east, as %s sees them, in yuan by days past due:", who)
			head := fmt.Sprintf("  %-11s", "")
			for column := range q.Buckets.Len() {
				head += fmt.Sprintf(" %8s", heading(q.Buckets, column))
			}
			g.say("%s %8s", head, "balance")
			for i, row := range append([]orgtree.Consolidated{c.Total}, c.Parts...) {
				name := "in all"
				if i > 0 {
					name = partName(c, row)
				}
				line := fmt.Sprintf("  %-11s", name)
				for column := range q.Buckets.Len() {
					line += fmt.Sprintf(" %8d", row.Measures[0]["CNY "+q.Buckets.Name(column)]/100)
				}
				g.say("%s %8d", line, row.Measures[0]["CNY "+clientele.AgingBalance]/100)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// heading is that of a bucket.
func heading(b aging.Buckets, column int) string {
	switch least, most, open := b.Range(column); open {
	case aging.AtLeast:
		return "not due"
	case aging.AtMost:
		return fmt.Sprintf("over %d", least-1)
	default:
		return fmt.Sprintf("%d–%d", least, most)
	}
}

// denied explains why a clerk doesn't see a customer, in two languages.
func (g *group) denied() error {
	x, err := g.as("auditor", "a complaint").ExplainAccess(g.ctx, "clerk.sha", customer.RightRead, customer.Identity, g.first["PEK"])
	if err != nil {
		return err
	}
	g.say("\nWhy doesn't clerk.sha see that customer of Beijing?\n%s\n%s", x.Text(language.English), x.Text(language.SimplifiedChinese))
	return nil
}

// review lists what an auditor should look at.
func (g *group) review() error {
	return g.as("auditor", "the yearly review").View(g.ctx, func(tx *clientele.ReadTx) error {
		findings, err := tx.Org.Review(orgtree.ReviewOptions{Conflicts: []orgtree.Duties{
			{{Right: customer.RightCreate}, {Right: customer.RightApprove}},
		}})
		if err != nil {
			return err
		}
		g.say("\nThe review finds:")
		for _, f := range findings {
			g.say("  %s", f.Text(language.English))
			g.say("  %s", f.Text(language.SimplifiedChinese))
		}
		return nil
	})
}
