package customer_test

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer"
)

func TestNamesFollowTheReadersLanguage(t *testing.T) {
	names := customer.Names{"en": "dormant", "zh-Hans": "休眠", "zh-Hant": "休眠客戶"}
	for tag, want := range map[string]string{
		"en-GB": "dormant", "zh-CN": "休眠", "zh-TW": "休眠客戶", "zh-HK": "休眠客戶", "zh": "休眠", "zh-Hant": "休眠客戶",
		"fr": "dormant", // none fits: the first by tag
	} {
		if got := names.In(language.MustParse(tag)); got != want {
			t.Errorf("In(%s) = %q, want %q", tag, got, want)
		}
	}
	if got := (customer.Names{"zh-Hans": "仅此"}).In(language.English); got != "仅此" {
		t.Errorf("the only text is not used: %q", got)
	}
	if got := customer.Names(nil).In(language.English); got != "" {
		t.Errorf("no names give %q", got)
	}
}

func TestNamesAreValidated(t *testing.T) {
	for name, c := range map[string]struct {
		names customer.Names
		want  string
	}{
		"good":          {customer.Names{"en": "x", "zh-Hant-TW": "y"}, ""},
		"no tag":        {customer.Names{"english!": "x"}, "english!"},
		"not canonical": {customer.Names{"ZH-hans": "x"}, "canonical"},
		"blank":         {customer.Names{"en": " "}, "Names[en]"},
		"not UTF-8":     {customer.Names{"en": "caf\xe9"}, "UTF-8"},
		"replaced":      {customer.Names{"en": "caf\uFFFD"}, "UTF-8"},
		"long":          {customer.Names{"en": strings.Repeat("x", 401)}, "400"},
	} {
		err := c.names.Validate("Names")
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		var invalid *customer.ValidationError
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want a validation error with %q", name, err, c.want)
		}
	}
}
