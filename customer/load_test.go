package customer_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/accesstest"
	"github.com/clientele-go/clientele/storage"
)

// loadDrafts loads and returns the codes that the customers have, by name; refused are the
// errors by row.
func (b *book) loadDrafts(opts customer.LoadOptions, drafts iter.Seq2[customer.Draft, error]) (codes map[string]string, refused map[int]error) {
	b.t.Helper()
	refused = map[int]error{}
	opts.Refused = func(row int, err error) { refused[row] = err }
	if _, err := b.customers.Load(context.Background(), b.storage, clerk, opts, drafts); err != nil {
		b.t.Fatal(err)
	}
	codes = map[string]string{}
	b.view(func(r *customer.Reader) error {
		for c, err := range r.List(customer.List{}) {
			if err != nil {
				return err
			}
			codes[c.Name] = c.Code
		}
		return nil
	})
	b.verify()
	return codes, refused
}

// coded are drafts, each with one of the codes.
func coded(codes ...string) iter.Seq2[customer.Draft, error] {
	return func(yield func(customer.Draft, error) bool) {
		for i, code := range codes {
			if !yield(customer.Draft{Name: fmt.Sprint("row ", i), Code: code}, nil) {
				return
			}
		}
	}
}

func TestLoadPassesOverCodesInUse(t *testing.T) {
	b := newBook(t, customer.Options{})
	b.create(customer.Draft{Name: "by hand", Code: "c000002"})
	b.create(customer.Draft{Name: "no number", Code: "C000003-B"})
	codes, refused := b.loadDrafts(customer.LoadOptions{}, coded("", "C000004", "Ｃ000005", "C0006", "", "", "C000003", ""))
	want := map[string]string{
		"by hand": "c000002", "no number": "C000003-B", "row 1": "C000004", "row 2": "Ｃ000005", "row 3": "C0006",
		"row 0": "C000001", "row 4": "C000003", "row 5": "C000006", "row 7": "C000007",
	}
	for name, code := range want {
		if codes[name] != code {
			t.Errorf("%s has the code %q, want %q", name, codes[name], code)
		}
	}
	// Row 6 gives a code that row 4 had drawn before.
	if len(codes) != len(want) || len(refused) != 1 || !strings.Contains(fmt.Sprint(refused[6]), "000003") {
		t.Errorf("codes %v, refused %v", codes, refused)
	}
}

// Codes with more digits than the template asks for sort elsewhere.
func TestLoadPassesOverCodesOfAllLengths(t *testing.T) {
	b := newBook(t, customer.Options{Codes: []customer.NumberRange{{Template: "K-{seq:1}/X", Start: 8}}})
	for _, code := range []string{"K-9/X", "K-10/X", "K-99/X", "K-101/X", "K-011/X"} {
		b.create(customer.Draft{Name: code, Code: code})
	}
	codes, refused := b.loadDrafts(customer.LoadOptions{}, coded(make([]string, 95)...))
	var drawn []string
	for i := range 95 {
		drawn = append(drawn, codes[fmt.Sprint("row ", i)])
	}
	var want []string
	for n := 8; len(want) < 95; n++ {
		if code := fmt.Sprintf("K-%d/X", n); !slices.Contains([]string{"K-9/X", "K-10/X", "K-99/X", "K-101/X"}, code) {
			want = append(want, code)
		}
	}
	if !slices.Equal(drawn, want) || len(refused) > 0 {
		t.Errorf("drawn were %v, want %v; refused %v", drawn, want, refused)
	}
}

func TestLoadReadsTheSchemaAgain(t *testing.T) {
	b := newBook(t, customer.Options{})
	const before, after = 1500, 3500
	level := []customer.Attribute{{Name: "level", Value: customer.EnumValue("A")}}
	codes, refused := b.loadDrafts(customer.LoadOptions{}, func(yield func(customer.Draft, error) bool) {
		for i := range before + after {
			if i == before {
				b.update(func(tx *customer.Tx) error {
					return tx.SetSchema(&customer.Schema{Attributes: []customer.AttributeSpec{{Name: "level", Type: customer.Enum, Values: []string{"A"}}}})
				})
			}
			if !yield(customer.Draft{Name: fmt.Sprint("row ", i), Attributes: level}, nil) {
				return
			}
		}
	})
	if _, first := refused[before-1]; !first || refused[before+after-1] != nil {
		t.Errorf("undeclared: %v, declared: %v", refused[before-1], refused[before+after-1])
	}
	if len(codes)+len(refused) != before+after || len(codes) < after-1000 {
		t.Errorf("%d loaded, %d refused", len(codes), len(refused))
	}
}

// Drafts may be made in the same memory one after another.
func TestLoadKeepsNothingOfADraftsLists(t *testing.T) {
	b := newBook(t, customer.Options{})
	b.loadDrafts(customer.LoadOptions{}, func(yield func(customer.Draft, error) bool) {
		d := customer.Draft{Aliases: []string{""}, Phones: []customer.Phone{{}}}
		for i := range 1000 {
			d.Name = fmt.Sprint("row ", i)
			d.Aliases[0] = fmt.Sprint("alias ", i)
			d.Phones[0] = customer.Phone{Number: fmt.Sprintf("+8613800%06d", i)}
			if !yield(d, nil) {
				return
			}
		}
	})
	b.view(func(r *customer.Reader) error {
		for i := range 1000 {
			c, err := r.Get(customer.ID(i + 1))
			if err != nil {
				return err
			}
			if c.Name != fmt.Sprint("row ", i) || c.Aliases[0] != fmt.Sprint("alias ", i) || c.Phones[0].E164 != fmt.Sprintf("+8613800%06d", i) {
				t.Fatalf("customer %d is %+v", i+1, c)
			}
		}
		return nil
	})
}

// Drafts that no right binds differ in nothing that their permission depends on but the unit.
func TestLoadAsksOnceForDraftsThatNoRightsBind(t *testing.T) {
	b := newBook(t, customer.Options{})
	asked := 0
	access := func(*storage.Reader) (customer.Access, error) { asked++; return nil, nil }
	const drafts = 2500 // three times a thousand or less, and one part
	b.loadDrafts(customer.LoadOptions{Access: access}, withRep(drafts))
	if asked > 4 {
		t.Errorf("the rights were read %d times", asked)
	}
}

// The state is read once, but each draft's own unit and representative are judged, when it is
// taken and not with its part.
func TestLoadJudgesEachDraft(t *testing.T) {
	closed := errors.New("closed")
	bound := func(may func(c *customer.Customer) bool) customer.AccessAt {
		return func(*storage.Reader) (customer.Access, error) {
			return &accesstest.Access{May: func(_ customer.Right, _ customer.Data, c *customer.Customer) bool { return may(c) }}, nil
		}
	}
	for name, x := range map[string]struct {
		access customer.AccessAt
		unit   customer.UnitID // that takes nobody
		want   error
	}{
		"by the unit": {func(*storage.Reader) (customer.Access, error) { return nil, nil }, 2, closed},
		"by rights":   {bound(func(c *customer.Customer) bool { return c.Rep != "rep 1" }), 0, customer.ErrDenied},
		"by both":     {bound(func(*customer.Customer) bool { return true }), 2, closed},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBook(t, customer.Options{})
			b.customers.Placing(func(*storage.Reader) (func(customer.UnitID) error, error) {
				return func(owner customer.UnitID) error {
					if owner == x.unit {
						return closed
					}
					return nil
				}, nil
			})
			taken := 0
			_, err := b.customers.Load(t.Context(), b.storage, clerk, customer.LoadOptions{Access: x.access}, func(yield func(customer.Draft, error) bool) {
				for d, err := range withRep(10) {
					if !yield(d, err) {
						return
					}
					taken++
				}
			})
			if !errors.Is(err, x.want) || taken != 1 {
				t.Errorf("%v after %d drafts, want %v after the first", err, taken, x.want)
			}
		})
	}
}

// withRep are drafts of the units 1, 2, … with a representative each.
func withRep(n int) iter.Seq2[customer.Draft, error] {
	return func(yield func(customer.Draft, error) bool) {
		for i := range n {
			if !yield(customer.Draft{Name: fmt.Sprint("row ", i), Owner: customer.UnitID(i + 1), Rep: fmt.Sprint("rep ", i)}, nil) {
				return
			}
		}
	}
}
