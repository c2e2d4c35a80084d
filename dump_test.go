package clientele_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/tagging"
)

func dumped(t *testing.T, b *clientele.Book) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := b.Dump(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func memoryBook(t *testing.T) *clientele.Book {
	t.Helper()
	b, err := clientele.Open(t.Context(), "", clientele.Options{InMemory: true, TickEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// someHistory changes, tags, merges and erases customers.
func someHistory(t *testing.T, b *clientele.Book) {
	t.Helper()
	s := b.As(clientele.Actor{ID: "wang.li", Reason: "test"})
	var first, second *customer.Customer
	steps := []func(tx *clientele.Tx) error{
		func(tx *clientele.Tx) (err error) {
			if first, err = tx.Customers.Create(customer.Draft{Code: "A1", Name: "上海汽车集团股份有限公司", Country: "CN", Phones: []customer.Phone{{Number: "021-22011138"}}}); err != nil {
				return err
			}
			second, err = tx.Customers.Create(customer.Draft{Name: "To be erased <&> Ltd."})
			return err
		},
		func(tx *clientele.Tx) error {
			d, err := tx.Tags.CreateDimension(tagging.Dimension{Code: "level"})
			if err != nil {
				return err
			}
			tag, err := tx.Tags.CreateTag(tagging.Tag{Dimension: d.ID, Code: "vip"})
			if err != nil {
				return err
			}
			_, err = tx.Tags.Assign(first.ID, tagging.Assignment{Tag: tag.ID})
			return err
		},
		func(tx *clientele.Tx) (err error) {
			c := *first
			c.Note = "changed"
			first, err = tx.Customers.Update(&c)
			return err
		},
		func(tx *clientele.Tx) error { _, err := tx.Customers.Archive(second.ID); return err },
		func(tx *clientele.Tx) error { _, err := tx.Customers.Erase(second.ID); return err },
	}
	for i, step := range steps {
		if err := s.Update(t.Context(), step); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
}

func TestAFilledBookEqualsTheOneThatWasDumped(t *testing.T) {
	from := memoryBook(t)
	someHistory(t, from)
	dump := dumped(t, from)
	for _, want := range []string{"上海汽车集团股份有限公司", `"actor":"wang.li"`, `"note":"changed"`} {
		if !strings.Contains(strings.ToLower(string(dump)), strings.ToLower(want)) {
			t.Errorf("the dump doesn't show %s", want)
		}
	}
	if bytes.Contains(dump, []byte("To be erased")) {
		t.Error("the dump tells what was erased")
	}
	to := memoryBook(t)
	if err := to.Fill(t.Context(), bytes.NewReader(dump)); err != nil {
		t.Fatal(err)
	}
	if again := dumped(t, to); !bytes.Equal(dump, again) {
		t.Errorf("dumped again:\n%s\nfirst:\n%s", again, dump)
	}
	if report, err := to.Verify(t.Context(), nil); err != nil || !report.OK() {
		t.Errorf("%v, %v", err, report.Differences)
	}
	a, err := from.Store().Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if b, err := to.Store().Head(t.Context()); err != nil || a.Root != b.Root || a.Size != b.Size {
		t.Errorf("the journal's root is %v, was %v (%v)", b, a, err)
	}
	someoneWorksOn(t, to)
	if err := to.Fill(t.Context(), bytes.NewReader(dump)); !errors.Is(err, storage.ErrExists) {
		t.Errorf("filling a book that isn't empty: %v", err)
	}
}

// someoneWorksOn goes on in a filled book: the customer is found, changed, and new ones
// get new numbers and later times.
func someoneWorksOn(t *testing.T, b *clientele.Book) {
	t.Helper()
	s := b.As(clientele.Actor{ID: "li.na"})
	before := b.Store().Now()
	err := s.Update(t.Context(), func(tx *clientele.Tx) error {
		c, err := tx.Customers.ByCode("A1")
		if err != nil {
			return err
		}
		if c.Version != 2 {
			t.Errorf("%s has version %d", c.Name, c.Version)
		}
		if n, err := tx.Tags.Count(tagging.Query{Filter: "level:vip"}); n != 1 || err != nil {
			t.Errorf("%d are tagged, %v", n, err)
		}
		added, err := tx.Customers.Create(customer.Draft{Name: "Third Ltd."})
		if err == nil && (added.ID <= c.ID+1 || added.Recorded.Before(before.Add(-time.Microsecond))) {
			t.Errorf("the third customer has the number %s, recorded %s", added.ID, added.Recorded)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDamagedDumpsAreRefusedBeforeAnythingIsWritten(t *testing.T) {
	from := memoryBook(t)
	someHistory(t, from)
	dump := string(dumped(t, from))
	lines := strings.SplitAfter(dump, "\n")
	to := memoryBook(t)
	empty := dumped(t, to)
	for what, x := range map[string]struct {
		dump string
		want error
	}{
		"nothing":          {"", storage.ErrDamagedDump},
		"cut off":          {strings.Join(lines[:len(lines)-2], ""), storage.ErrDamagedDump},
		"cut within":       {dump[:len(dump)/2], storage.ErrDamagedDump},
		"a line less":      {lines[0] + strings.Join(lines[2:], ""), storage.ErrDamagedDump},
		"a changed actor":  {strings.Replace(dump, "wang.li", "wang.lu", 1), storage.ErrDamagedDump},
		"a line more":      {dump + lines[1], storage.ErrDamagedDump},
		"no dump":          {"name,phone\n", storage.ErrDamagedDump},
		"an unknown table": {strings.Replace(dump, `{"table":"customer"`, `{"table":"fleet"`, 1), storage.ErrInvalid},
	} {
		if err := to.Fill(t.Context(), strings.NewReader(x.dump)); !errors.Is(err, x.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if after := dumped(t, to); !bytes.Equal(empty, after) {
		t.Errorf("a refused dump changed the book:\n%s", after)
	}
}
