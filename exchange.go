package clientele

import (
	"context"
	"errors"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/tagging"
)

// Exchange is the session as imports and exports need it; see [exchange.Session].
func (s *Session) Exchange() exchange.Session {
	b := s.book
	return exchange.Session{
		Storage: b.store, Customers: b.customers, Imports: b.imports, Actor: s.session, Country: b.country, Currency: b.currency,
		Access: s.access,
		Read: func(r *storage.Reader) (*exchange.Reader, error) {
			tx, err := s.read(r)
			if err != nil {
				return nil, err
			}
			return &exchange.Reader{Customers: tx.Customers, Tags: tx.Tags, Org: tx.Org, Items: postedDocuments{tx.Credit}, Storage: r}, nil
		},
		Begin: func(st *storage.Tx) (*exchange.Tx, error) {
			tx, err := s.begin(st)
			if err != nil {
				return nil, err
			}
			return &exchange.Tx{
				Customers: tx.Customers, Tags: tx.Tags, Org: tx.Org, Items: documents{postedDocuments{&tx.Credit.Reader}, tx.Credit},
				Storage: st, Confirm: tx.Dedupe.Confirm, Flag: tx.Dedupe.Flag,
			}, nil
		},
		Single:  b.single,
		Explain: explainRow,
		InUse:   []func(*exchange.Reader, customer.ID) (string, error){taggedByHand, placed, b.owes},
	}
}

// Scores returns what credit bureaus gave a customer, as imports brought it, for the model
// of package score.
func (s *Session) Scores(ctx context.Context, id customer.ID) (list []exchange.Score, err error) {
	err = s.View(ctx, func(tx *ReadTx) error {
		list, err = s.book.imports.Scores(tx.Storage, tx.Customers, id)
		return err
	})
	return list, err
}

// single says that customers must be created one by one: to count them against quotas,
// or since the book refuses or notes likely duplicates.
func (b *Book) single(r *exchange.Reader) (bool, error) {
	if b.likely {
		return true, nil
	}
	return r.Org.HasQuotas()
}

// explainRow makes a row's fault of an error of the packages beside customers.
func explainRow(err error) (exchange.Fault, bool) {
	var quota *orgtree.QuotaError
	var receivable *credit.Error
	f := exchange.Fault{Detail: err.Error()}
	switch {
	case errors.As(err, &quota), errors.Is(err, orgtree.ErrQuota):
		f.Code, f.Remedy = exchange.CodeQuota, "transfer customers, or raise the quota"
	case errors.Is(err, dedupe.ErrLikelyDuplicate):
		f.Code, f.Remedy = exchange.CodeDuplicate, "leave the row out, or import with a policy that flags or creates duplicates"
	case errors.Is(err, credit.ErrClosedPeriod):
		f.Code, f.Field, f.Remedy = exchange.CodeClosed, exchange.DocumentDay, "date it in an open period"
	case errors.Is(err, credit.ErrDocument), errors.Is(err, credit.ErrReversed):
		f.Code, f.Field, f.Remedy = exchange.CodePosted, exchange.DocumentNumber, "use a new number"
	case errors.As(err, &receivable) && !errors.Is(err, storage.ErrConflict) && receivable.Field != "":
		f.Code, f.Field, f.Remedy = string(customer.CodeMalformed), documentField(receivable.Field), receivable.Remedy
	default:
		return f, false
	}
	return f, true
}

// documentField is the field of imports that a document's part came from.
func documentField(field string) exchange.Field {
	fields := map[string]exchange.Field{
		"Key": exchange.DocumentNumber, "Kind": exchange.DocumentKind, "Date": exchange.DocumentDay, "Due": exchange.Due,
		"Instalments[0].Due": exchange.Due, "Amount": exchange.Amount, "Reference": exchange.Reference, "Note": exchange.Note,
	}
	return fields[field]
}

// postedDocuments implements [exchange.DocumentReader].
type postedDocuments struct{ credit *credit.Reader }

func (d postedDocuments) Standing(item uint64) (string, error) {
	i, err := d.credit.Item(credit.ItemID(item))
	if err != nil || i.ReversedBy != 0 {
		return "", err
	}
	open, err := d.credit.Open(i.ID)
	if err != nil || open == i.Amount.Minor {
		return "", err
	}
	return "the document " + i.Document + " is settled in part or whole", nil
}

// documents implements [exchange.Documents].
type documents struct {
	postedDocuments
	tx *credit.Tx
}

func (d documents) Post(doc exchange.Document) (item uint64, fresh bool, err error) {
	kind := credit.Invoice
	if err := kind.UnmarshalText([]byte(doc.Kind)); err != nil {
		return 0, false, err
	}
	former, err := d.tx.Document(doc.Key)
	if err != nil {
		return 0, false, err
	}
	if len(former) > 0 && former[0].ReversedBy != 0 {
		return 0, false, &credit.Error{Op: "post", Customer: doc.Customer, Field: "Key", Value: doc.Key, Remedy: "use a new key", Err: credit.ErrReversed}
	}
	posted := credit.Document{
		Key: doc.Key, Customer: doc.Customer, Kind: kind, Date: doc.Date, Amount: doc.Amount, Reference: doc.Reference, Note: doc.Note,
	}
	if kind == credit.Adjustment {
		posted.Side = credit.Debit
		if doc.Credit {
			posted.Side = credit.Credit
		}
	}
	if !doc.Due.IsZero() {
		posted.Instalments = []credit.Instalment{{Due: doc.Due, Amount: doc.Amount.Minor}}
	}
	items, err := d.tx.Post(posted)
	if err != nil {
		return 0, false, err
	}
	return uint64(items[0].ID), len(former) == 0, nil
}

func (d documents) Reverse(item uint64, key string) error {
	i, err := d.tx.Item(credit.ItemID(item))
	if err != nil || i.ReversedBy != 0 {
		return err
	}
	_, err = d.tx.Reverse(i.ID, credit.Reverse{Key: key, CarryLate: true})
	return err
}

// taggedByHand tells whether somebody tagged a customer since an import created it.
func taggedByHand(r *exchange.Reader, id customer.ID) (string, error) {
	tagged, err := r.Tags.Of(id)
	if err != nil {
		return "", err
	}
	for _, a := range tagged.Assignments {
		if a.Origin == tagging.Manual {
			return "the customer was tagged since, by " + a.Actor, nil
		}
	}
	return "", nil
}

// placed tells whether units beside the owner have to do with a customer.
func placed(r *exchange.Reader, id customer.ID) (string, error) {
	p, err := r.Org.Placement(id)
	switch {
	case err != nil:
		return "", err
	case len(p.Assignments) > 0:
		return "the customer is assigned to a unit", nil
	case len(p.Overlays) > 0:
		return "units have their own terms for the customer", nil
	}
	return "", nil
}

// owes tells whether there are receivables, limits or reservations of a customer, also
// out of the session's sight.
func (b *Book) owes(r *exchange.Reader, id customer.ID) (string, error) {
	all := b.credit.Reader(r.Storage, customer.Unscoped(r.Customers))
	for _, err := range all.Items(id) {
		return "the customer has receivables", err
	}
	for _, err := range all.Reservations(id) {
		return "credit is reserved for the customer", err
	}
	line, err := all.Line(credit.OfCustomer(id))
	if err == nil && line.Version > 0 {
		return "the customer has a credit limit", nil
	}
	return "", err
}
