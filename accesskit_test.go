package clientele_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/customer/stocktake"
)

// A row of the table of everything that a session offers says how a method is proved to
// obey access. Exactly one of its fields is set.
type row struct {
	// read returns what a method tells about a customer, or about everybody. The system
	// must find a planted value in it, which the clerk must not.
	read func(k *kit, tx *clientele.Tx, id customer.ID) (any, error)
	// session is read of a session's method.
	session func(k *kit, s *clientele.Session) (any, error)
	// number is a read whose answer is a number: of customers or values that are not hidden.
	number func(k *kit, tx *clientele.Tx) (int64, error)
	// write changes a customer: the clerk's attempt on one out of sight must fail as on one
	// that does not exist, the viewer's on one in sight as not permitted, and the system's
	// must not fail for either reason.
	write func(k *kit, tx *clientele.Tx, id customer.ID) error
	// guarded needs a right that concerns no single customer, which the viewer lacks.
	guarded func(k *kit, tx *clientele.Tx) error
	// denied is guarded of a session's method: whoever may only read is refused. It gets a
	// kit of its own.
	denied func(k *kit, s *clientele.Session) error
	// open says why a method needs no proof.
	open string

	clerk, system int64 // what number returns
}

// The handles that a program gets from a session: their methods are all that it can do.
var handles = []reflect.Type{
	reflect.TypeFor[*clientele.Session](), reflect.TypeFor[clientele.RuleSession](),
	reflect.TypeFor[clientele.Tx](), reflect.TypeFor[clientele.ReadTx](), reflect.TypeFor[exchange.Session](), reflect.TypeFor[stocktake.Session](),
}

// methods returns the names of all exported methods of the handles, and of what is in the
// exported fields of a transaction, by the type that has them: customer.Reader.Get.
func methods() map[string]bool {
	names := map[string]bool{}
	for _, h := range handles {
		addMethods(names, h)
		if h.Kind() != reflect.Struct || h == reflect.TypeFor[exchange.Session]() || h == reflect.TypeFor[stocktake.Session]() {
			continue // the fields of the last two are what the book wires it with
		}
		for i := range h.NumField() {
			if f := h.Field(i); f.IsExported() {
				addMethods(names, f.Type)
			}
		}
	}
	return names
}

func addMethods(names map[string]bool, t reflect.Type) {
	name := strings.TrimPrefix(t.String(), "*")
	reader := strings.TrimSuffix(name, "Tx") + "Reader"
	for i := range t.NumMethod() {
		method := t.Method(i).Name
		if strings.HasSuffix(name, ".Tx") && names[reader+"."+method] || t.PkgPath() == "" && t.Kind() != reflect.Pointer && t.Kind() != reflect.Struct {
			continue // the reader's, that it embeds
		}
		names[name+"."+method] = true
	}
}

// sortHandles has readers before transactions, so that a method counts once.
func init() { slices.Reverse(handles) }

// A method that nobody has decided about is a hole: it may show what it should not. Add a
// row that proves it, or says why there is nothing to prove.
func TestEveryMethodOfASessionIsProved(t *testing.T) {
	have := methods()
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if _, found := table[name]; !found {
			t.Errorf("%s has no row in the table of access proofs", name)
		}
	}
	for name := range table {
		if !have[name] {
			t.Errorf("%s has a row, but there is no such method", name)
		}
	}
}

var errTakenBack = errors.New("taken back")

// attempt runs f in a transaction that leaves nothing behind.
func (k *kit) attempt(s *clientele.Session, f func(tx *clientele.Tx) (any, error)) (result any, err error) {
	k.t.Helper()
	failed := s.Update(k.t.Context(), func(tx *clientele.Tx) error {
		result, err = f(tx)
		return errTakenBack
	})
	if !errors.Is(failed, errTakenBack) {
		k.t.Fatalf("the attempt: %v", failed)
	}
	return result, err
}

func TestNothingOutOfSightIsTold(t *testing.T) {
	k := newKit(t)
	for _, name := range slices.Sorted(maps.Keys(table)) {
		t.Run(name, func(t *testing.T) {
			k := *k
			k.t = t
			switch r := table[name]; {
			case r.read != nil:
				k.proveRead(r)
			case r.session != nil:
				k.proveSession(r)
			case r.number != nil:
				k.proveNumber(r)
			case r.write != nil:
				k.proveWrite(r)
			case r.guarded != nil:
				k.proveGuarded(r)
			case r.denied != nil:
				newKit(t).proveDenied(r)
			}
		})
	}
	switch text := k.log.String(); {
	case text == "":
		t.Error("the log was not kept, or the book tells it nothing")
	case leaks(text) != "":
		t.Errorf("the log tells %q: %s", leaks(text), text)
	}
}

func (k *kit) proveRead(r row) {
	ask := func(s *clientele.Session, id customer.ID) (string, error) {
		result, err := k.attempt(s, func(tx *clientele.Tx) (any, error) { return r.read(k, tx, id) })
		return dump(result) + fmt.Sprint(err), err
	}
	if text, _ := ask(k.system, k.unseen); leaks(text) == "" {
		k.t.Errorf("the probe finds nothing even where everything is shown: %s", text)
	}
	for _, id := range []customer.ID{k.unseen, k.seen} {
		if text, _ := ask(k.clerk, id); leaks(text) != "" {
			k.t.Errorf("of customer %s the clerk is told %q: %s", id, leaks(text), text)
		}
	}
	hidden, err := ask(k.clerk, k.unseen)
	absent, _ := ask(k.clerk, k.absent)
	if errors.Is(err, customer.ErrNotFound) && anonymous(hidden, k.unseen) != anonymous(absent, k.absent) {
		k.t.Errorf("out of sight is %s, absent %s", hidden, absent)
	}
	if text, _ := ask(k.stranger, k.unseen); leaks(text) != "" {
		k.t.Errorf("who was granted nothing is told %q: %s", leaks(text), text)
	}
}

// anonymous is an error's text without the customer's id.
func anonymous(text string, id customer.ID) string {
	return strings.ReplaceAll(text, id.String(), "#")
}

func (k *kit) proveSession(r row) {
	for who, s := range map[string]*clientele.Session{"the clerk": k.clerk, "a stranger": k.stranger} {
		result, err := r.session(k, s)
		if text := dump(result) + fmt.Sprint(err); leaks(text) != "" {
			k.t.Errorf("%s is told %q: %s", who, leaks(text), text)
		}
	}
	result, err := r.session(k, k.system)
	if text := dump(result) + fmt.Sprint(err); leaks(text) == "" {
		k.t.Errorf("the probe finds nothing even where everything is shown: %s", text)
	}
}

func (k *kit) proveNumber(r row) {
	for _, x := range []struct {
		who  string
		s    *clientele.Session
		want int64
	}{{"the clerk", k.clerk, r.clerk}, {"the system", k.system, r.system}} {
		got, err := k.attempt(x.s, func(tx *clientele.Tx) (any, error) { return r.number(k, tx) })
		if err != nil || got != x.want {
			k.t.Errorf("%s gets %v, %v; want %d", x.who, got, err, x.want)
		}
	}
}

func (k *kit) proveWrite(r row) {
	try := func(s *clientele.Session, id customer.ID) error {
		_, err := k.attempt(s, func(tx *clientele.Tx) (any, error) { return nil, r.write(k, tx, id) })
		return err
	}
	hidden, absent := try(k.clerk, k.unseen), try(k.clerk, k.absent)
	if !errors.Is(hidden, customer.ErrNotFound) || !errors.Is(absent, customer.ErrNotFound) {
		k.t.Errorf("out of sight: %v; absent: %v", hidden, absent)
	} else if a, b := anonymous(hidden.Error(), k.unseen), anonymous(absent.Error(), k.absent); a != b {
		k.t.Errorf("out of sight it says %s, of an absent one %s", a, b)
	}
	if err := try(k.viewer, k.seen); !errors.Is(err, customer.ErrDenied) {
		k.t.Errorf("who may only read gets %v", err)
	}
	if err := try(k.system, k.seen); errors.Is(err, customer.ErrNotFound) || errors.Is(err, customer.ErrDenied) {
		k.t.Errorf("the system gets %v", err)
	}
}

func (k *kit) proveGuarded(r row) {
	try := func(s *clientele.Session) error {
		_, err := k.attempt(s, func(tx *clientele.Tx) (any, error) { return nil, r.guarded(k, tx) })
		return err
	}
	for who, s := range map[string]*clientele.Session{"who may only read": k.viewer, "a stranger": k.stranger} {
		if err := try(s); !errors.Is(err, customer.ErrDenied) {
			k.t.Errorf("%s gets %v", who, err)
		}
	}
	if err := try(k.system); errors.Is(err, customer.ErrDenied) {
		k.t.Errorf("the system gets %v", err)
	}
}

func (k *kit) proveDenied(r row) {
	for who, s := range map[string]*clientele.Session{"who may only read": k.viewer, "a stranger": k.stranger} {
		if err := r.denied(k, s); !errors.Is(err, customer.ErrDenied) {
			k.t.Errorf("%s gets %v", who, err)
		}
	}
	if err := r.denied(k, k.system); errors.Is(err, customer.ErrDenied) {
		k.t.Errorf("the system gets %v", err)
	}
}

// leaks returns the planted value that a text has, empty for none.
func leaks(text string) string {
	folded := strings.ToLower(text)
	for _, value := range planted {
		if strings.Contains(folded, value) {
			return value
		}
	}
	return ""
}

// dump writes all that a value holds, unexported fields too.
func dump(v any) string {
	var b strings.Builder
	dumpValue(&b, reflect.ValueOf(v), 0)
	return b.String()
}

func dumpValue(b *strings.Builder, v reflect.Value, depth int) {
	if depth > 12 {
		return
	}
	switch v.Kind() {
	case reflect.Invalid, reflect.Func, reflect.Chan:
	case reflect.Pointer, reflect.Interface:
		dumpValue(b, v.Elem(), depth+1)
	case reflect.Struct:
		for i := range v.NumField() {
			dumpValue(b, v.Field(i), depth+1)
		}
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
			fmt.Fprintf(b, "%s ", v.Bytes())
			return
		}
		for i := range min(v.Len(), 5000) {
			dumpValue(b, v.Index(i), depth+1)
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			dumpValue(b, it.Key(), depth+1)
			dumpValue(b, it.Value(), depth+1)
		}
	default:
		fmt.Fprintf(b, "%v ", v)
	}
}

// all collects what an iterator yields, up to its error.
func all[T any](list func(func(T, error) bool)) (any, error) {
	var found []T
	for x, err := range list {
		if err != nil {
			return found, err
		}
		found = append(found, x)
	}
	return found, nil
}

// count is how many an iterator yields.
func count[T any](list func(func(T, error) bool)) (n int64, err error) {
	for _, err := range list {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
