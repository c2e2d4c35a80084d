package taggingtest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/identifier"
)

// Numbers are examples for an identifier scheme.
type Numbers struct {
	// Valid has numbers as people write them, and their canonical form.
	Valid map[string]string
	// Invalid has numbers that must be refused.
	Invalid []string
	// Checked says that the scheme has a check character: a single wrong digit in a valid
	// number, and most exchanges of neighbours, must be noticed.
	Checked bool
}

// TestScheme checks an identifier scheme by examples, and by what can be made of them:
// cut, mistyped and repeated numbers, garbage, many goroutines at once.
func TestScheme(t T, scheme identifier.Scheme, n Numbers) {
	t.Helper()
	set, err := identifier.NewSet(scheme)
	if err != nil {
		t.Errorf("no book takes the scheme: %v", err)
		return
	}
	checkTitle(t, scheme)
	if len(n.Valid) == 0 || len(n.Invalid) == 0 {
		t.Errorf("give at least one valid and one invalid number")
	}
	k := &schemeKit{T: t, set: set, name: scheme.Name}
	for _, raw := range slices.Sorted(maps.Keys(n.Valid)) {
		k.valid(raw, n.Valid[raw], n.Checked)
	}
	for _, raw := range n.Invalid {
		if got, ok, err := k.parse(raw); ok && err == nil {
			k.Errorf("%q is accepted as %q; it must be refused", raw, got)
		}
	}
	for _, raw := range garbage {
		k.settled(raw)
	}
	if scheme.Sensitive {
		k.discreet(n)
	}
}

// checkTitle checks the scheme's names: English and Chinese.
func checkTitle(t T, scheme identifier.Scheme) {
	t.Helper()
	names := customer.Names(scheme.Title)
	if names["en"] == "" || names["zh"] == "" && names["zh-Hans"] == "" {
		t.Errorf("scheme %s needs a title in en and in zh; it has %v", scheme.Name, slices.Sorted(maps.Keys(names)))
	}
}

// garbage is what turns up in files.
var garbage = []string{"", " ", "-", "0", "\x00", "\xff\xfe", "０", "١٢٣", "N/A", "null", strings.Repeat("9", 10_000), strings.Repeat("0", 64), "'; drop table", "😀", "=1+1", "\u202e12"}

type schemeKit struct {
	T
	set  *identifier.Set
	name string
}

// parse reports a panic; ok is false then.
func (k *schemeKit) parse(raw string) (got string, ok bool, err error) {
	k.Helper()
	defer func() {
		if p := recover(); p != nil {
			k.Errorf("%q makes it panic: %v", shorten(raw), p)
		}
	}()
	got, err = k.set.Parse(k.name, raw)
	return got, true, err
}

func (k *schemeKit) valid(raw, want string, checked bool) {
	k.Helper()
	got, ok, err := k.parse(raw)
	if !ok {
		return
	}
	if err != nil || got != want {
		k.Errorf("%q gives %q (error %v), want %q", raw, got, err, want)
		return
	}
	for i := range want {
		k.settled(want[:i])
		k.settled(want + want[i:])
	}
	k.settled(raw)
	if checked {
		k.mistyped(want)
	}
	k.shared(raw, want)
}

// settled checks that whatever is accepted has a canonical form that is canonical.
func (k *schemeKit) settled(raw string) {
	k.Helper()
	got, ok, err := k.parse(raw)
	switch {
	case !ok:
	case err != nil:
		if !errors.Is(err, identifier.ErrInvalid) {
			k.Errorf("%q: the error %v doesn't wrap identifier.ErrInvalid", shorten(raw), err)
		}
	case !utf8.ValidString(got) || strings.TrimSpace(got) != got:
		k.Errorf("%q gives %q, which is no canonical form: no UTF-8, or blanks around it", shorten(raw), got)
	default:
		if again, ok, err := k.parse(got); ok && (err != nil || again != got) {
			k.Errorf("%q gives %q, which gives %q (error %v); a canonical form must give itself", shorten(raw), got, again, err)
		}
	}
}

// mistyped checks that a check character does its work.
func (k *schemeKit) mistyped(number string) {
	k.Helper()
	exchanges, noticed := 0, 0
	for i := range len(number) {
		if number[i] < '0' || number[i] > '9' {
			continue
		}
		for digit := byte('0'); digit <= '9'; digit++ {
			if wrong := number[:i] + string(digit) + number[i+1:]; wrong != number {
				if _, ok, err := k.parse(wrong); ok && err == nil {
					k.Errorf("%q is accepted, though one digit of %q is wrong", wrong, number)
				}
			}
		}
		if i > 0 && number[i-1] != number[i] {
			exchanges++
			wrong := number[:i-1] + string(number[i]) + string(number[i-1]) + number[i+1:]
			if _, ok, err := k.parse(wrong); ok && err != nil {
				noticed++
			}
		}
	}
	if noticed*2 < exchanges {
		k.Errorf("%q: only %d of %d exchanges of neighbours are noticed", number, noticed, exchanges)
	}
}

// shared checks that many goroutines can read numbers at once.
func (k *schemeKit) shared(raw, want string) {
	k.Helper()
	var wait sync.WaitGroup
	differing := make(chan error, workers)
	for range workers {
		wait.Go(func() {
			for range repeats {
				if got, err := k.set.Parse(k.name, raw); err != nil || got != want {
					differing <- fmt.Errorf("gives %q (error %v), want %q", got, err, want)
					return
				}
			}
		})
	}
	wait.Wait()
	select {
	case err := <-differing:
		k.Errorf("%q, read by many at once, %v", raw, err)
	default:
	}
}

// discreet checks that errors about personal data don't show it.
func (k *schemeKit) discreet(n Numbers) {
	k.Helper()
	for _, raw := range n.Invalid {
		if _, ok, err := k.parse(raw); ok && err != nil && len(raw) > 6 && strings.Contains(err.Error(), raw) {
			k.Errorf("the error about %q shows the number in full, though it is personal data", raw)
		}
	}
}

func shorten(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
