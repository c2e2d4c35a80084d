package identifier_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/clientele-go/clientele/customer/identifier"
)

// member is an added scheme: M and four digits.
func member() identifier.Scheme {
	return identifier.Scheme{
		Name: "club.member", Title: map[string]string{"en": "Member"}, Sensitive: true,
		Parse: func(raw string) (string, error) {
			number := strings.ToUpper(strings.TrimSpace(raw))
			switch {
			case number == "M0000":
				return "", fs.ErrNotExist
			case number == "":
				return "", nil
			case len(number) != 5 || number[0] != 'M':
				return "", identifier.Invalid("isn't five characters", "give M and four digits")
			}
			return number, nil
		},
	}
}

func TestAddedSchemeParses(t *testing.T) {
	set := newSet(t, member())
	if got, err := set.Parse("club.member", " m1234"); got != "M1234" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if got := set.Guess("m1234"); !slices.Equal(got, []string{"club.member"}) {
		t.Errorf("Guess: %v", got)
	}
	x, found := set.Scheme("club.member")
	if !found || x.Unique || !x.Sensitive || x.Title["en"] != "Member" {
		t.Errorf("Scheme: %+v, %t", x, found)
	}
	if all := set.All(); all[len(all)-1].Name != "club.member" || len(all) != len(identifier.Builtin())+1 {
		t.Errorf("All ends with %s, %d schemes", all[len(all)-1].Name, len(all))
	}
}

func TestErrorsOfAddedSchemesAreCompleted(t *testing.T) {
	set := newSet(t, member())
	_, err := set.Parse("club.member", "12345678")
	const want = `identifier club.member "12…78": isn't five characters; give M and four digits`
	if err == nil || err.Error() != want || !errors.Is(err, identifier.ErrInvalid) {
		t.Errorf("%v, want %s", err, want)
	}
	if err := identifier.Invalid("is odd", "make it even"); !errors.Is(err, identifier.ErrInvalid) {
		t.Errorf("before a set completes it: %v", err)
	}
	if _, err = set.Parse("club.member", "M0000"); !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, identifier.ErrInvalid) {
		t.Errorf("the scheme's own error: %v", err)
	}
	if _, err = set.Parse("club.member", ""); !errors.Is(err, identifier.ErrInvalid) {
		t.Errorf("no canonical form: %v", err)
	}
}

func TestUnknownSchemeIsNamed(t *testing.T) {
	_, err := newSet(t).Parse("cn.ussc", "91350100M000100Y43")
	if !errors.Is(err, identifier.ErrUnknownScheme) || errors.Is(err, identifier.ErrInvalid) || !strings.Contains(err.Error(), "cn.ussc") {
		t.Error(err)
	}
	if _, found := newSet(t).Scheme("cn.ussc"); found {
		t.Error("Scheme finds it")
	}
}

func TestMessagesHidePersonalNumbers(t *testing.T) {
	set := newSet(t)
	for _, c := range [][2]string{{"cn.resident", "110105194912310021"}, {"tw.resident", "F131104094"}} {
		_, err := set.Parse(c[0], c[1])
		if err == nil || strings.Contains(err.Error(), c[1][3:7]) || !strings.Contains(err.Error(), c[1][:2]+"…") {
			t.Errorf("%s: %v", c[0], err)
		}
		if bad, ok := errors.AsType[*identifier.Error](err); !ok || bad.Value != c[1] {
			t.Errorf("%s: the error's value is %+v", c[0], bad)
		}
	}
	if _, err := set.Parse("cn.resident", "1101051"); err == nil || strings.Contains(err.Error(), "11") {
		t.Errorf("a short one: %v", err)
	}
}

func TestNewSetRefusesMalformedSchemes(t *testing.T) {
	for name, spoil := range map[string]func(*identifier.Scheme){
		"no name":          func(x *identifier.Scheme) { x.Name = "" },
		"capitals":         func(x *identifier.Scheme) { x.Name = "club.Member" },
		"a digit first":    func(x *identifier.Scheme) { x.Name = "club.1" },
		"an empty word":    func(x *identifier.Scheme) { x.Name = "club..member" },
		"a point last":     func(x *identifier.Scheme) { x.Name = "club." },
		"a space":          func(x *identifier.Scheme) { x.Name = "club member" },
		"a long name":      func(x *identifier.Scheme) { x.Name = strings.Repeat("m", 61) },
		"a built-in name":  func(x *identifier.Scheme) { x.Name = "cn.uscc" },
		"a country's name": func(x *identifier.Scheme) { x.Country = "China" },
		"a small country":  func(x *identifier.Scheme) { x.Country = "cn" },
		"no Parse":         func(x *identifier.Scheme) { x.Parse = nil },
	} {
		x := member()
		spoil(&x)
		_, err := identifier.NewSet(x)
		if bad, ok := errors.AsType[*identifier.Error](err); !ok || !errors.Is(err, identifier.ErrScheme) || bad.Remedy == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := identifier.NewSet(member(), member()); !errors.Is(err, identifier.ErrScheme) {
		t.Errorf("twice the same: %v", err)
	}
}

func TestBuiltinSchemesAreDescribed(t *testing.T) {
	personal := []string{"cn.resident", "tw.resident"}
	for _, x := range identifier.Builtin() {
		if x.Title["en"] == "" || x.Title["zh"] == "" {
			t.Errorf("%s has the titles %v", x.Name, x.Title)
		}
		if x.Sensitive != slices.Contains(personal, x.Name) {
			t.Errorf("%s: Sensitive is %t", x.Name, x.Sensitive)
		}
		if x.Unique != (x.Name != "eu.vat") { // Directive 2006/112/EC Article 11: groups share theirs
			t.Errorf("%s: Unique is %t", x.Name, x.Unique)
		}
	}
}

func TestSetIsIndependentOfWhatCallersChange(t *testing.T) {
	x := member()
	set := newSet(t, x)
	x.Title["en"] = "changed"
	set.All()[0].Name = "changed"
	if y, _ := set.Scheme("club.member"); y.Title["en"] != "Member" || set.All()[0].Name == "changed" {
		t.Error("the set has changed")
	}
}

func TestGuessPutsTheStrictestFirst(t *testing.T) {
	set := newSet(t)
	for raw, want := range map[string][]string{
		"11010519491231002X":      {"cn.resident"},
		"91350100M000100Y43":      {"cn.uscc"},
		"5493 001KJT IIGC 8Y1R12": {"lei"},
		"DE 136 695 976":          {"eu.vat"},
		"2209-9131":               {"tw.ubn", "gb.company", "hk.br"},
		"91-1144442":              {"us.ein", "duns"}, // 9·3+7+9+4·10+4·5+4·8+4·4+4·2 = 159, 159%11 = 5: no cn.org
		"F131104093":              {"tw.resident"},
		"台灣水泥":                    nil,
		"":                        nil,
	} {
		if got := set.Guess(raw); !slices.Equal(got, want) {
			t.Errorf("Guess(%q) = %v, want %v", raw, got, want)
		}
	}
}

func TestSetServesManyGoroutines(t *testing.T) {
	set := newSet(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for scheme, numbers := range published {
				for _, number := range numbers {
					if got, err := set.Parse(scheme, number); err != nil || got != number {
						t.Errorf("Parse(%s, %s) = %q, %v", scheme, number, got, err)
					}
					set.Guess(number)
				}
			}
		})
	}
	group.Wait()
}
