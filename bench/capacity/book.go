package capacity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sort"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/sample"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/tagging"
)

// book is the book under test, and what is known of it.
type book struct {
	*clientele.Book
	work     workload
	dir      string
	session  *clientele.Session
	units    []customer.UnitID
	region   []tagging.TagID
	industry []tagging.TagID
	flag     []tagging.TagID
	stage    []tagging.TagID // of a dimension that the mixed load changes
	runs     []run
	imported uint64 // the journal's position at the end of the last import
	expected *expected
}

// run is customers whose ids follow one another as their indexes do.
type run struct {
	Index int         `json:"index"` // of the first
	ID    customer.ID `json:"id"`    // of the first
	N     int         `json:"n"`
}

// id returns the id of the customer at an index that is in the book.
func (b *book) id(index int) customer.ID {
	i := sort.Search(len(b.runs), func(i int) bool { return b.runs[i].Index > index }) - 1
	return b.runs[i].ID + customer.ID(index-b.runs[i].Index)
}

// customers is how many customers of the workload are in the book.
func (b *book) customers() int {
	if len(b.runs) == 0 {
		return 0
	}
	last := b.runs[len(b.runs)-1]
	return last.Index + last.N
}

const actor = "capacity"

// openBook opens the book of a folder, or makes it there.
func openBook(ctx context.Context, dir string, w workload) (*book, error) {
	b := &book{work: w, dir: dir, expected: newExpected()}
	if err := b.open(ctx); err != nil {
		return nil, err
	}
	if err := b.session.Update(ctx, b.define); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// open opens the book again after it was closed. It isn't cut short when ctx ends, so
// that the book is open for whoever closes it.
func (b *book) open(ctx context.Context) error {
	opened, err := clientele.Open(context.WithoutCancel(ctx), b.dir, clientele.Options{Logger: slog.New(slog.DiscardHandler)})
	if err == nil {
		b.Book, b.session = opened, opened.As(clientele.Actor{ID: actor})
	}
	return err
}

// Close closes the book unless it is closed.
func (b *book) Close() error {
	if b.Book == nil {
		return nil
	}
	err := b.Book.Close()
	b.Book = nil
	return err
}

// define makes units, dimensions and tags, or reads them when they are there.
func (b *book) define(tx *clientele.Tx) error {
	if err := tx.Customers.SetSchema(sample.Schema()); err != nil {
		return err
	}
	if err := errors.Join(b.defineUnits(tx), defineRates(tx)); err != nil {
		return err
	}
	for _, d := range []struct {
		code      string
		exclusive bool
		tags      int
		ids       *[]tagging.TagID
	}{
		{"region", true, regions, &b.region},
		{"industry", true, industries, &b.industry},
		{"flag", false, flags, &b.flag},
		{"stage", true, 4, &b.stage},
	} {
		ids, err := defineTags(tx, tagging.Dimension{Code: d.code, Exclusive: d.exclusive}, d.tags)
		if err != nil {
			return fmt.Errorf("dimension %s: %w", d.code, err)
		}
		*d.ids = ids
	}
	return nil
}

// defineRates sets what the currencies of receivables are worth.
func defineRates(tx *clientele.Tx) error {
	for currency, text := range map[money.Currency]string{money.USD: "7.1", money.EUR: "8.2", money.JPY: "0.05"} {
		rate, err := money.ParseRate(text)
		if err == nil {
			err = tx.Credit.SetRate(currency, reportDay-3*365, rate)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// The organisation: branches below regional offices.
const offices, branches = 5, 50

func (b *book) defineUnits(tx *clientele.Tx) error {
	b.units = nil
	var above []customer.UnitID
	for i := range offices {
		id, err := defineUnit(tx, orgtree.Unit{Code: fmt.Sprintf("R%02d", i), Kind: orgtree.Region})
		if err != nil {
			return err
		}
		above = append(above, id)
	}
	for i := range branches {
		id, err := defineUnit(tx, orgtree.Unit{Code: fmt.Sprintf("B%02d", i), Kind: orgtree.Branch, Parent: above[i%offices]})
		if err != nil {
			return err
		}
		b.units = append(b.units, id)
	}
	return nil
}

func defineUnit(tx *clientele.Tx, u orgtree.Unit) (customer.UnitID, error) {
	known, err := tx.Org.UnitByCode(u.Code)
	if err == nil {
		return known.ID, nil
	}
	if !errors.Is(err, orgtree.ErrNotFound) {
		return 0, err
	}
	made, err := tx.Org.CreateUnit(u)
	if err != nil {
		return 0, err
	}
	return made.ID, nil
}

func defineTags(tx *clientele.Tx, d tagging.Dimension, n int) (ids []tagging.TagID, err error) {
	made, err := tx.Tags.Dimension(d.Code)
	if errors.Is(err, tagging.ErrUnknownDimension) {
		made, err = tx.Tags.CreateDimension(d)
	}
	if err != nil {
		return nil, err
	}
	for i := range n {
		code := fmt.Sprint(d.Code[:1], i)
		tag, err := tx.Tags.Tag(d.Code, code)
		if errors.Is(err, tagging.ErrUnknownTag) {
			tag, err = tx.Tags.CreateTag(tagging.Tag{Dimension: made.ID, Code: code})
		}
		if err != nil {
			return nil, err
		}
		ids = append(ids, tag.ID)
	}
	return ids, nil
}

// limited is how many customers have a credit limit of their own.
const limited = 2000

// setLimits gives the first customers their credit limits.
func (b *book) setLimits(ctx context.Context) error {
	const batch = 250
	for from := 0; from < min(limited, b.customers()); from += batch {
		err := b.session.Update(ctx, func(tx *clientele.Tx) error {
			for i := from; i < min(from+batch, limited, b.customers()); i++ {
				limit := credit.Limit{Amount: money.Amount{Minor: 1e13, Currency: money.CNY}}
				if err := tx.Credit.SetLimit(credit.OfCustomer(b.id(i)), limit); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
