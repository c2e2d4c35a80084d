package filter

import (
	"errors"
	"runtime"
	"strings"
	"testing"
)

// The caret stands under the place: behind a tab it keeps the tab, below full-width
// characters it needs full-width blanks, below a combining mark none.
func TestErrorShowsThePlace(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{
			"region:CN-31 level:vip",
			"filter: line 1, column 14: \"level\" follows without an operator; expected AND or OR, or quotes around a value that has blanks\n" +
				"\tregion:CN-31 level:vip\n" +
				"\t             ^",
		},
		{
			"city:上海 AND\n\tcity:Zu\u0308rich、基尔\nAND a:1",
			"filter: line 2, column 14: \"、\" can't stand here; expected a list as in level:(vip|gold), or quotes around all of the value\n" +
				"\t\tcity:Zu\u0308rich、基尔\n" +
				"\t\t           ^",
		},
		{
			"city:上海（",
			"filter: line 1, column 8: \"（\" can't stand here; expected a blank, or quotes around all of the value\n" +
				"\tcity:上海（\n" +
				"\t     \u3000\u3000^",
		},
		{
			"a:1 AND b:\"\x1b[2J\"\r\n",
			"filter: line 1, column 12: U+001B is a control character; expected the text without it\n" +
				"\ta:1 AND b:\"\uFFFD[2J\"\uFFFD\n" +
				"\t           ^",
		},
		{
			`a:"` + strings.Repeat("海", 50) + `"x`,
			"filter: line 1, column 55: \"x\" can't stand here; expected a blank, or quotes around all of the value\n" +
				"\t…" + strings.Repeat("海", 39) + "\"x\n" +
				"\t " + strings.Repeat("\u3000", 39) + " ^",
		},
		{
			strings.Repeat("x:1 OR ", 1000) + "y z",
			"filter: line 1, column 7002: a colon is missing behind \"y\"; expected field:value\n" +
				"\t… OR x:1 OR x:1 OR x:1 OR x:1 OR x:1 OR y z\n" + // 4 + 5 * 7 + 1 = 40 characters before it
				"\t                                         ^",
		},
	} {
		if _, err := Parse(c.text); err == nil || err.Error() != c.want {
			t.Errorf("%.40q:\n%v\nwant\n%s", c.text, err, c.want)
		}
	}
}

func TestErrorsSuggestWhatWasMeant(t *testing.T) {
	for text, want := range map[string]string{
		"Region:CN":         "expected region\n",
		"-level:vip":        "expected NOT before",
		"level>=silver":     "expected field:value, field:>=value",
		"region:North Cape": "quotes around a value that has blanks",
		"level:vip,gold":    "level:(vip|gold)",
		"region:CN*":        "/* for a tag and all below it",
		"n:<5..6":           "one range as in 5..10",
		`level:""`:          "missing:field finds what has none",
		"n:..":              "has:n",
		"":                  "or * for all",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v\nwant %q in it", text, err, want)
		}
	}
}

func TestLimitsAreExact(t *testing.T) {
	list := func(n int) string { return "a:(1" + strings.Repeat("|1", n-1) + ")" }
	terms := func(n int) string { return "*" + strings.Repeat(" OR *", n-1) }
	for _, c := range []struct {
		name string
		text string
		code Code // empty: accepted
		is   error
	}{
		{"length", `a:"` + strings.Repeat("x", MaxLength-4) + `"`, "", nil},
		{"length", `a:"` + strings.Repeat("x", MaxLength-3) + `"`, CodeTooLong, ErrTooLong},
		// each quote gets a backslash: canonically 2n+4 bytes
		{"canonical length", "a:「" + strings.Repeat(`"`, MaxLength/2-2) + "」", "", nil},
		{"canonical length", "a:「" + strings.Repeat(`"`, MaxLength/2-1) + "」", CodeTooLong, ErrTooLong},
		{"parentheses", strings.Repeat("(", MaxDepth) + "a:1" + strings.Repeat(")", MaxDepth), "", nil},
		{"parentheses", strings.Repeat("(", MaxDepth+1) + "a:1" + strings.Repeat(")", MaxDepth+1), CodeTooDeep, ErrTooDeep},
		{"NOTs", strings.Repeat("NOT ", MaxDepth) + "a:1", "", nil},
		{"NOTs", strings.Repeat("NOT ", MaxDepth+1) + "a:1", CodeTooDeep, ErrTooDeep},
		{"both", strings.Repeat("NOT (", MaxDepth/2) + "a:1" + strings.Repeat(")", MaxDepth/2), "", nil},
		{"both", strings.Repeat("NOT (", MaxDepth/2) + "NOT a:1" + strings.Repeat(")", MaxDepth/2), CodeTooDeep, ErrTooDeep},
		{"one beside another", strings.Repeat("NOT (a:1) AND ", 1000) + "b:2", "", nil},
		{"values", list(MaxTerms), "", nil},
		{"values", list(MaxTerms + 1), CodeTooMany, ErrTooLong},
		{"terms", terms(MaxTerms), "", nil},
		{"terms", terms(MaxTerms + 1), CodeTooMany, ErrTooLong},
		{"field", strings.Repeat("a", MaxField) + ":1", "", nil},
	} {
		_, err := Parse(c.text)
		var e *SyntaxError
		errors.As(err, &e)
		switch {
		case c.code == "" && err != nil:
			t.Errorf("%s: at its limit: %v", c.name, err)
		case c.code != "" && (e == nil || e.Code != c.code || !errors.Is(err, c.is)):
			t.Errorf("%s: beyond its limit: %v", c.name, err)
		}
	}
}

// A megabyte isn't read, and the 10,000 levels are left at the 101st: what either costs
// is the error.
func TestHostileFiltersCostNothing(t *testing.T) {
	for name, text := range map[string]string{
		"long":          strings.Repeat("a:1 OR ", 150_000),
		"deep":          strings.Repeat("(", 10_000),
		"deep NOTs":     strings.Repeat("NOT ", 10_000),
		"long and deep": strings.Repeat("NOT (", 200_000),
	} {
		const runs = 20
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			if _, err := Parse(text); err == nil {
				t.Fatalf("%s: accepted", name)
			}
		}
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / runs; each > 4<<10 {
			t.Errorf("%s: %d B", name, each)
		}
	}
}
