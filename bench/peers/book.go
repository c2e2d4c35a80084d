package main

import (
	"context"
	"errors"
	"iter"
	"log/slog"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/internal/sample"
)

// bookStore is Clientele, with everything on but search, which no peer here has.
type bookStore struct {
	ctx     context.Context
	book    *clientele.Book
	session *clientele.Session
}

func openBook(ctx context.Context, dir string) (store, error) {
	return openBookWith(ctx, dir, dedupe.Options{})
}

// openPlainBook keeps no index of likenesses, by which similar customers are found when one
// is created; no peer has such a thing.
func openPlainBook(ctx context.Context, dir string) (store, error) {
	return openBookWith(ctx, dir, dedupe.Options{WithoutCandidates: true})
}

func openBookWith(ctx context.Context, dir string, duplicates dedupe.Options) (store, error) {
	book, err := clientele.Open(ctx, dir, clientele.Options{
		WithoutSearch: true, CacheBytes: cacheBytes, Logger: slog.New(slog.DiscardHandler), Dedupe: duplicates,
	})
	if err != nil {
		return nil, err
	}
	b := &bookStore{ctx: ctx, book: book, session: book.As(clientele.Actor{ID: "import"})}
	err = b.session.Update(ctx, func(tx *clientele.Tx) error { return tx.Customers.SetSchema(sample.Schema()) })
	if err != nil {
		return nil, errors.Join(err, book.Close())
	}
	return b, nil
}

func (b *bookStore) load(customers iter.Seq2[*customer.Customer, error]) error {
	_, err := b.session.Load(b.ctx, customer.LoadOptions{PartBytes: cacheBytes}, func(yield func(customer.Draft, error) bool) {
		for c, err := range customers {
			var d customer.Draft
			if err == nil {
				d = draftOf(c)
			}
			if !yield(d, err) {
				return
			}
		}
	})
	return err
}

// draftOf is c.Draft() for a customer that is not used again: its lists are not copied.
func draftOf(c *customer.Customer) customer.Draft {
	return customer.Draft{
		Code: c.Code, Kind: c.Kind, Party: c.Party, Name: c.Name, Aliases: c.Aliases, Country: c.Country,
		Identifiers: c.Identifiers, Phones: c.Phones, Emails: c.Emails, Addresses: c.Addresses, Contacts: c.Contacts,
		Website: c.Website, Note: c.Note, Owner: c.Owner, Rep: c.Rep, Attributes: c.Attributes, SourceKeys: c.SourceKeys,
	}
}

func (b *bookStore) settle() error {
	return untilQuiet(b.ctx, func() (debt, size int64, err error) {
		h, err := b.book.Health(b.ctx)
		return h.Engine.CompactionDebt, h.Engine.DiskBytes, err
	})
}

// compact does nothing: a book has no such thing to wait for.
func (b *bookStore) compact() error { return nil }

func (b *bookStore) create(c *customer.Customer) error {
	return b.session.Update(b.ctx, func(tx *clientele.Tx) error {
		_, err := tx.Customers.Create(c.Draft())
		return err
	})
}

func (b *bookStore) count() (n int, err error) {
	err = b.session.View(b.ctx, func(tx *clientele.ReadTx) error {
		n = 0
		for _, err := range tx.Customers.List(customer.List{Statuses: customer.AllStatuses()}) {
			if err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

func (b *bookStore) repeated(by lookup) (found repetition, err error) {
	common := customer.CommonPhone
	if by == byEmail {
		common = customer.CommonEmail
	}
	err = b.session.View(b.ctx, func(tx *clientele.ReadTx) error {
		found = repetition{}
		for ids, err := range tx.Customers.Repeated(common) {
			if err != nil {
				return err
			}
			found.keys, found.customers = found.keys+1, found.customers+len(ids)
			for _, id := range ids {
				found.sum += uint64(id)
			}
		}
		return nil
	})
	return found, err
}

func (b *bookStore) size(dir string) (int64, error) { return sizeOf(dir) }

func (b *bookStore) close() error { return b.book.Close() }

func (b *bookStore) view(f func(reader) error) error {
	return b.session.View(b.ctx, func(tx *clientele.ReadTx) error { return f(bookReader{tx.Customers}) })
}

func (b *bookStore) byID(id customer.ID) (c *customer.Customer, err error) {
	err = b.session.View(b.ctx, func(tx *clientele.ReadTx) error {
		c, err = tx.Customers.Get(id)
		return err
	})
	return c, err
}

func (b *bookStore) byCode(code string) (c *customer.Customer, err error) {
	err = b.session.View(b.ctx, func(tx *clientele.ReadTx) error {
		c, err = tx.Customers.ByCode(code)
		return err
	})
	return c, err
}

func (b *bookStore) holders(k key) (ids []customer.ID, err error) {
	err = b.view(func(r reader) error {
		ids, err = r.holders(k)
		return err
	})
	return ids, err
}

// bookReader reads one state of a book.
type bookReader struct{ customers *customer.Reader }

func (r bookReader) byID(id customer.ID) (*customer.Customer, error) { return r.customers.Get(id) }

func (r bookReader) byCode(code string) (*customer.Customer, error) { return r.customers.ByCode(code) }

func (r bookReader) holders(k key) ([]customer.ID, error) {
	switch k.by {
	case byIdentifier:
		return idOf(r.customers.ByIdentifier(k.scope, k.value))
	case bySourceKey:
		return idOf(r.customers.BySourceKey(k.scope, k.value))
	case byPhone:
		return idsOf(r.customers.ByPhone(k.value))
	}
	return idsOf(r.customers.ByEmail(k.value))
}

func idOf(c *customer.Customer, err error) ([]customer.ID, error) {
	if err != nil {
		return nil, err
	}
	return []customer.ID{c.ID}, nil
}

func idsOf(customers iter.Seq2[*customer.Customer, error]) ([]customer.ID, error) {
	var ids []customer.ID
	for c, err := range customers {
		if err != nil {
			return nil, err
		}
		ids = append(ids, c.ID)
	}
	return ids, nil
}
