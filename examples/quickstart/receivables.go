package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
)

// reportDay is the day of the newest register: receivables are as of then, whenever the
// program runs.
var reportDay = date.Of(time.Date(2024, time.October, 29, 0, 0, 0, 0, time.UTC))

// termsOf are the terms of payment of every fourth company: at once, within 30 days, at
// the month's end and 15 days, and half of it within 30 and half within 60 days.
var termsOf = [...]string{"CASH", "NET30", "EOM+15", "50% NET30, 50% NET60"}

// shownCompanies are the stock codes in the printed table.
var shownCompanies = []string{"1101", "1216", "2330", "2882"}

// receivables invoices the companies, ages what they owe and asks for credit.
func (t *tour) receivables() error {
	t.heading("Receivables, their age, and a limit · 应收账款、账龄与信用额度")
	start := time.Now()
	companies, err := t.activeCompanies()
	if err != nil {
		return err
	}
	const part = 250 // companies a transaction
	for n := 0; n < len(companies); n += part {
		if err := t.invoice(companies[n:min(n+part, len(companies))]); err != nil {
			return err
		}
	}
	t.say("     %d companies invoiced twice, every third paid once, in %s", len(companies), t.took(start))
	if err := t.ageReceivables(); err != nil {
		return err
	}
	return t.blockOrder()
}

func (t *tour) activeCompanies() (ids []customer.ID, err error) {
	err = t.book.As(clientele.Actor{ID: "reader"}).View(t.ctx, func(tx *clientele.ReadTx) error {
		for c, err := range tx.Customers.List(customer.List{}) {
			if err != nil {
				return err
			}
			ids = append(ids, c.ID)
		}
		return nil
	})
	return ids, err
}

func twd(dollars int64) money.Amount { return money.Amount{Minor: dollars * 100, Currency: money.TWD} }

// invoice posts two invoices of each company, 45 days apart and due by its own terms, and
// the payment of one. The keys are the documents' own, so that running the program again
// posts nothing.
func (t *tour) invoice(companies []customer.ID) error {
	return t.book.As(clientele.Actor{ID: "accounting", Reason: "invoices of 2024"}).Update(t.ctx, func(tx *clientele.Tx) error {
		for _, id := range companies {
			if err := tx.Credit.SetTermsOf(id, termsOf[id%customer.ID(len(termsOf))]); err != nil {
				return err
			}
			amount := twd(1000 * (1 + int64(id)%97))
			sent := reportDay - date.Date(id*7%120)
			d := credit.Document{Customer: id, Kind: credit.Invoice, Amount: amount, OwnTerms: true}
			for n, key := range []string{"A", "B"} {
				d.Key, d.Date = fmt.Sprintf("2024-%s-%s", key, id), sent-date.Date(45*n)
				if _, err := tx.Credit.Post(d); err != nil {
					return err
				}
			}
			if id%3 != 0 {
				continue
			}
			d.Kind, d.Key, d.Date, d.OwnTerms = credit.Payment, fmt.Sprintf("2024-P-%s", id), reportDay, false
			if _, err := tx.Credit.Post(d); err != nil {
				return err
			}
			if _, err := tx.Credit.AllocateAutomatically(credit.Automatic{Customer: id, Method: credit.OldestFirst, Date: reportDay}); err != nil {
				return err
			}
		}
		return nil
	})
}

// ageReceivables prints what some companies owe and since when, and what all do.
func (t *tour) ageReceivables() error {
	q := credit.AgingQuery{AsOf: reportDay, Buckets: aging.Standard()}
	return t.book.As(clientele.Actor{ID: "accounting"}).View(t.ctx, func(tx *clientele.ReadTx) error {
		names, shown := map[uint64]string{}, &bitset.Set{}
		for _, code := range shownCompanies {
			c, err := tx.Customers.BySourceKey(system, code)
			if err != nil {
				return err
			}
			names[uint64(c.ID)] = c.Name
			shown.Add(uint64(c.ID))
		}
		some := q
		some.Customers = shown
		table := aging.Table{
			Scheme: aging.Scheme{AsOf: q.AsOf, Buckets: q.Buckets}, Rows: tx.Credit.Aging(some),
			Language: language.English, Second: language.Chinese,
			Name: func(id uint64) string { return names[id] },
		}
		var text bytes.Buffer
		if err := table.WriteText(&text); err != nil {
			return err
		}
		t.say("     %s", strings.ReplaceAll(strings.TrimSpace(text.String()), "\n", "\n     "))
		start := time.Now()
		total, err := tx.Credit.AgingTotal(q)
		if err != nil {
			return err
		}
		for row, err := range total.Rows() {
			if err != nil {
				return err
			}
			owed := money.Amount{Minor: row.Balance, Currency: row.Currency}
			t.say("     all companies together owe %s, added up in %s", owed, t.took(start))
		}
		return nil
	})
}

// blockOrder gives a company a limit and orders more than that.
func (t *tour) blockOrder() error {
	err := t.book.As(clientele.Actor{ID: "sales", Reason: "an order"}).Update(t.ctx, func(tx *clientele.Tx) error {
		c, err := tx.Customers.BySourceKey(system, shownCompanies[0])
		if err != nil {
			return err
		}
		if err := tx.Credit.SetLimit(credit.OfCustomer(c.ID), credit.Limit{Amount: twd(250_000)}); err != nil {
			return err
		}
		_, err = tx.Credit.Reserve(credit.Request{Key: "order 2024-1001", Customer: c.ID, Amount: twd(900_000), Stage: credit.Ordered})
		return err
	})
	if !errors.Is(err, credit.ErrRefused) {
		return fmt.Errorf("an order beyond the limit was not refused: %w", err)
	}
	t.say("     an order is blocked · 订单被拦截: %v", err)
	return nil
}
