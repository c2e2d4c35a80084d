package taggingtest_test

import (
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/clientele-go/clientele/customer/identifier"
	"github.com/clientele-go/clientele/tagging/classify"
	"github.com/clientele-go/clientele/tagging/taggingtest"
)

// member is a scheme without faults: M and eight digits of which the last makes their
// sum, weighted 2, 1, 2, 1 …, divisible by 10.
func member() identifier.Scheme {
	return identifier.Scheme{
		Name: "acme.member", Title: map[string]string{"en": "Member number", "zh": "会员号"},
		Parse: func(raw string) (string, error) {
			digits, is := strings.CutPrefix(strings.ToUpper(strings.ReplaceAll(raw, "-", "")), "M")
			if _, err := strconv.ParseUint(digits, 10, 32); !is || err != nil || len(digits) != 8 {
				return "", identifier.Invalid("is not M and eight digits", "compare it with the card")
			}
			if weighted(digits)%10 != 0 {
				return "", identifier.Invalid("fails its check digit", "compare it with the card")
			}
			return "M" + digits, nil
		},
	}
}

// weighted is the sum of Luhn's algorithm.
func weighted(digits string) (sum int) {
	for i := range len(digits) {
		n := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum
}

// numbers: for 1234567 Luhn's check digit is 4, since 5+6+1+5+6... from the right
// 7→5, 6, 5→1, 4, 3→6, 2, 1→2 make 26.
func numbers() taggingtest.Numbers {
	return taggingtest.Numbers{
		Valid:   map[string]string{"M12345674": "M12345674", "m1234-5674": "M12345674"},
		Invalid: []string{"M12345675", "12345674", "M1234567"},
		Checked: true,
	}
}

func TestASoundSchemePasses(t *testing.T) { taggingtest.TestScheme(t, member(), numbers()) }

func TestBrokenSchemesAreCaught(t *testing.T) {
	parsing := func(parse func(raw string) (string, error)) func(*identifier.Scheme) {
		return func(s *identifier.Scheme) { s.Parse = parse }
	}
	sound := member().Parse
	for _, broken := range []struct {
		name   string
		mutate func(*identifier.Scheme)
		want   string
	}{
		{"a malformed name", func(s *identifier.Scheme) { s.Name = "Acme Member" }, "no book takes the scheme"},
		{"the name of another scheme", func(s *identifier.Scheme) { s.Name = "lei" }, "no book takes the scheme"},
		{"no Chinese title", func(s *identifier.Scheme) { delete(s.Title, "zh") }, "needs a title"},
		{"everything is valid", parsing(func(raw string) (string, error) { return strings.TrimSpace(raw), nil }), "it must be refused"},
		{"not canonical", parsing(func(raw string) (string, error) {
			if _, err := sound(raw); err != nil {
				return "", err
			}
			return raw, nil
		}), `"m1234-5674" gives "m1234-5674"`},
		{"the canonical form is refused", parsing(func(raw string) (string, error) {
			got, err := sound(raw)
			return strings.TrimPrefix(got, "M"), err
		}), "want"},
		{"a canonical form that changes", parsing(func(raw string) (string, error) {
			if got, err := sound(raw); err == nil {
				return got, nil
			}
			if raw == "N/A" || strings.HasPrefix(raw, "none") {
				return "none" + raw, nil
			}
			return sound(raw)
		}), "a canonical form must give itself"},
		{"panic", parsing(func(raw string) (string, error) { _ = raw[:1]; return sound(raw) }), "makes it panic"},
		{"no check digit", parsing(func(raw string) (string, error) {
			if got, err := sound(raw); err == nil || len(raw) != 9 || raw == "M12345675" {
				return got, err
			}
			return raw, nil
		}), "one digit of"},
		{"state", func(s *identifier.Scheme) {
			var read atomic.Int64
			s.Parse = func(raw string) (string, error) {
				if read.Add(1) > 150 && raw == "M12345674" {
					return "", identifier.Invalid("was read too often", "")
				}
				return sound(raw)
			}
		}, "read by many at once"},
		{"personal data in errors", func(s *identifier.Scheme) {
			s.Sensitive = true
			s.Parse = func(raw string) (string, error) {
				got, err := sound(raw)
				if err != nil {
					return "", identifier.Invalid(raw+" is no number", "")
				}
				return got, nil
			}
		}, "shows the number in full"},
	} {
		t.Run(broken.name, func(t *testing.T) {
			scheme := member()
			broken.mutate(&scheme)
			r := &recorder{}
			taggingtest.TestScheme(r, scheme, numbers())
			caught(t, r, broken.want)
		})
	}
}

func TestBrokenDimensionsAreCaught(t *testing.T) {
	sound := func() classify.DimensionSpec {
		return classify.DimensionSpec{
			Code: "level", Names: names("Level", "级别", "級別"), Ordered: true, Colour: "#00ff00",
			Tags: []classify.TagSpec{{Code: "low", Rank: 1, Names: names("Low", "低", "低")}, {Code: "high", Rank: 2, Names: names("High", "高", "高")}},
		}
	}
	taggingtest.TestDimension(t, sound())
	for _, broken := range []struct {
		name   string
		mutate func(*classify.DimensionSpec)
		want   string
	}{
		{"a customer's field", func(d *classify.DimensionSpec) { d.Code = "status" }, "dimension status"},
		{"a malformed tag", func(d *classify.DimensionSpec) { d.Tags[0].Code = "very low" }, "very low"},
		{"no name", func(d *classify.DimensionSpec) { d.Names = nil }, "dimension level has no name"},
		{"a tag twice", func(d *classify.DimensionSpec) { d.Tags[1].Code = "low" }, "occurs twice"},
		{"an alias that is another tag", func(d *classify.DimensionSpec) { d.Tags[1].Aliases = []string{"LOW"} }, "level"},
		{"a parent without a tree", func(d *classify.DimensionSpec) { d.Tags[1].Parent = "low" }, "no tree"},
		{"a parent below", func(d *classify.DimensionSpec) { d.Tree, d.Tags[0].Parent = true, "high" }, "must stand above it"},
		{"a rank without an order", func(d *classify.DimensionSpec) { d.Ordered = false }, "not ordered"},
		{"one rank twice", func(d *classify.DimensionSpec) { d.Tags[1].Rank = 1 }, "ranges can't tell them apart"},
		{"a colour", func(d *classify.DimensionSpec) { d.Colour = "green" }, `"green"`},
	} {
		t.Run(broken.name, func(t *testing.T) {
			d := sound()
			broken.mutate(&d)
			r := &recorder{}
			taggingtest.TestDimension(r, d)
			caught(t, r, broken.want)
		})
	}
}
