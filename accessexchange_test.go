package clientele_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
	"github.com/clientele-go/clientele/orgtree"
)

func listFile(content string) *tabular.File {
	return &tabular.File{Name: "list.csv", Content: strings.NewReader(content), Size: int64(len(content))}
}

// proveImport tries to find a customer out of sight by a row that has its code.
func proveImport(k *kit, s *clientele.Session) (any, error) {
	p, err := s.Exchange().Import(k.t.Context(), exchange.Import{
		File: listFile("code,name\nZKANARI-1,New name\n"), Mode: exchange.UpdateOnly, DryRun: true,
	})
	if p.Summary.Updated > 0 {
		return "zkanari", err
	}
	return p.Summary, err
}

var exchangeRows = map[string]row{
	"clientele.Session.Exchange": {open: handle},
	"exchange.Session.Export": {session: func(k *kit, s *clientele.Session) (any, error) {
		var all []string
		for _, e := range []exchange.Export{{}, {Sort: exchange.Name}, {Query: everybody}, {Format: tabular.XLSX{}, Sort: exchange.Code}} {
			var out bytes.Buffer
			_, err := s.Exchange().Export(k.t.Context(), &out, e)
			all = append(all, out.String())
			if err != nil {
				return all, err
			}
		}
		return all, nil
	}},
	"exchange.Session.Import": {session: proveImport},
	"exchange.Session.Run": {denied: func(k *kit, s *clientele.Session) error {
		for _, err := range s.Exchange().Run(k.t.Context(), exchange.Import{File: listFile(someList), Again: true}) {
			return err
		}
		return nil
	}},
	"exchange.Session.Preview": {denied: func(k *kit, s *clientele.Session) error {
		_, err := s.Exchange().Preview(k.t.Context(), exchange.Import{File: listFile(someList)})
		return err
	}},
	"exchange.Session.Inspect": {open: "tells of the file and of the book's definitions"},
	"exchange.Session.Fields":  {open: definition},
	"exchange.Session.Jobs": {denied: func(k *kit, s *clientele.Session) error {
		k.imported()
		_, err := s.Exchange().Jobs(k.t.Context())
		return err
	}},
	"exchange.Session.Faults": {denied: func(k *kit, s *clientele.Session) error {
		_, err := s.Exchange().Faults(k.t.Context(), k.imported())
		return err
	}},
	"exchange.Session.Rejects": {denied: func(k *kit, s *clientele.Session) error {
		_, err := s.Exchange().Rejects(k.t.Context(), k.imported(), listFile(someList), io.Discard, language.English)
		return err
	}},
	"exchange.Session.Undo": {denied: func(k *kit, s *clientele.Session) error {
		return s.Exchange().Undo(k.t.Context(), k.imported())
	}},
	"exchange.Session.Forget": {denied: func(k *kit, s *clientele.Session) error {
		return s.Exchange().Forget(k.t.Context(), k.imported())
	}},
	"exchange.Session.Missing":   {open: "yields those whom BySystem shows"},
	"exchange.Session.InspectAs": {open: "is Inspect"},
	"exchange.Session.FieldsOf":  {open: definition},
	"clientele.Session.Scores": {session: func(k *kit, s *clientele.Session) (any, error) {
		_, err := k.system.Exchange().Import(k.t.Context(), exchange.Import{
			File: listFile("code,provider,score,date\nZKANARI-1,zkanari,7,2026-01-05\n"), Subject: exchange.Scores, Again: true,
		})
		if err != nil {
			return nil, err
		}
		return s.Scores(k.t.Context(), k.unseen)
	}},
	"tagging.Tx.Retract": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, err := tx.Tags.Retract(id, 0, k.vip)
		return err
	}),
	"dedupe.Tx.Flag":           write(func(k *kit, tx *clientele.Tx, id customer.ID) error { return tx.Dedupe.Flag(id, k.seen) }),
	"orgtree.Reader.HasQuotas": {open: "a yes or no about the structure"},
}

// someList has a good row and a bad one.
const someList = "code,name,phone\nN1,Newcomer Ltd.,\nN2,,x\n"

// imported is an import by the system.
func (k *kit) imported() exchange.JobID {
	k.t.Helper()
	done, err := k.system.Exchange().Import(k.t.Context(), exchange.Import{File: listFile(someList), Again: true})
	if err != nil {
		k.t.Fatal(err)
	}
	return done.Job
}

// Who may import in one branch sees his own imports, and none of what others' files said:
// neither cells, nor that there was an import.
func TestImportsOfOthersStayTheirs(t *testing.T) {
	k := newKit(t)
	const list = "code,name,email\nZKANARI-1,Hidden Ltd.,secret address\n"
	ctx := t.Context()
	theirs, err := k.system.Exchange().Import(ctx, exchange.Import{File: listFile(list), Mapping: &exchange.Mapping{HeaderRow: 1, HeaderRows: 1, Columns: []exchange.Column{
		{Column: 1, Field: exchange.Code}, {Column: 2, Field: exchange.Name}, {Column: 3, Field: exchange.Email},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if faults, err := k.system.Exchange().Faults(ctx, theirs.Job); err != nil || len(faults) == 0 {
		t.Fatalf("the import has %d faults (%v); one was meant", len(faults), err)
	}
	err = k.system.Update(ctx, func(tx *clientele.Tx) error {
		_, err := tx.Org.SetRole(orgtree.Role{Name: "importer", Permissions: []orgtree.Permission{{Right: customer.RightImport}}})
		if err == nil {
			_, err = tx.Org.Give(orgtree.Grant{Principal: "clerk", Role: "importer", Scope: orgtree.Scope{Unit: k.east}})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	mine := k.clerk.Exchange()
	if faults, err := mine.Faults(ctx, theirs.Job); !errors.Is(err, customer.ErrNotFound) || len(faults) > 0 {
		t.Errorf("a clerk reads %v of an import that is not his (%v)", faults, err)
	}
	if _, err := mine.Rejects(ctx, theirs.Job, listFile(list), io.Discard, language.English); !errors.Is(err, customer.ErrNotFound) {
		t.Errorf("a clerk gets the rejects of an import that is not his: %v", err)
	}
	if jobs, err := mine.Jobs(ctx); err != nil || len(jobs) > 0 {
		t.Errorf("a clerk is told of %d imports of others (%v)", len(jobs), err)
	}
}
