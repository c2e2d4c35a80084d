package filter

import (
	"errors"
	"go/constant"
	gotoken "go/token"
	"go/types"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// values has what is hard to print, and anything else that a value may have.
var values = rapid.OneOf(
	rapid.SampledFrom([]string{
		"vip", "AND", "not", "且", "has", "*", "/*", "a/*", "a/", "/", "..", ".", "a..b", ".a", "a.", ":", ":a", "a:b",
		`"`, `\`, `\"`, `a\`, "“", "”x", "「", "（", "a|b", "a b", " ", "\u3000", "-1.5", ">=1", "上海", "Zu\u0308rich", "\u0308", "é·🙂",
	}),
	rapid.String().Filter(func(s string) bool { return s != "" && writable(s) }),
)

func writable(s string) bool {
	for i, r := range s {
		if _, size := utf8.DecodeRuneInString(s[i:]); valueFault(r, size) != "" {
			return false
		}
	}
	return true
}

var fields = rapid.SampledFrom([]string{"a", "region", "tax.rate", "x_1", "android", "hash"})

// terms draws terms that Check accepts.
var terms = rapid.Custom(func(t *rapid.T) Term {
	term := Term{Field: fields.Draw(t, "field"), Op: Op(rapid.IntRange(0, len(opNames)-1).Draw(t, "op"))}
	switch term.Op {
	case OpIs, OpUnder:
		term.Values = rapid.SliceOfN(values, 1, 3).Draw(t, "values")
	case OpSegment:
		term.Field, term.Values = "", []string{values.Draw(t, "name")}
	case OpRange:
		bound := Bound{values.Draw(t, "value"), rapid.Bool().Draw(t, "exclusive")}
		other := Bound{values.Draw(t, "value"), rapid.Bool().Draw(t, "exclusive")}
		ends := [][2]Bound{{bound, {}}, {{}, bound}, {bound, other}}
		end := rapid.SampledFrom(ends).Draw(t, "ends")
		term.From, term.To = end[0], end[1]
	}
	return term
})

// literals draws expressions as somebody might write them in Go, normal or not.
func literals(levels int, leaves *rapid.Generator[Expr]) *rapid.Generator[Expr] {
	if levels == 0 {
		return leaves
	}
	inner := literals(levels-1, leaves)
	return rapid.OneOf(
		leaves,
		rapid.Custom(func(t *rapid.T) Expr { return And(rapid.SliceOfN(inner, 0, 4).Draw(t, "and")) }),
		rapid.Custom(func(t *rapid.T) Expr { return Or(rapid.SliceOfN(inner, 0, 4).Draw(t, "or")) }),
		rapid.Custom(func(t *rapid.T) Expr { return Not{inner.Draw(t, "not")} }),
	)
}

func TestParseReadsBackWhatIsPrinted(t *testing.T) {
	leaves := rapid.Custom(func(t *rapid.T) Expr { return terms.Draw(t, "term") })
	rapid.Check(t, func(t *rapid.T) {
		e := literals(4, leaves).Draw(t, "filter")
		if err := Check(e); err != nil {
			t.Fatal(err)
		}
		text := e.String()
		read, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(read, Normalise(e)) {
			t.Fatalf("%s\nread %#v\nmade %#v", text, read, Normalise(e))
		}
		if read.String() != text {
			t.Fatalf("%s became %s", text, read)
		}
	})
}

// Go reads the same operators with the same precedence: the fields t and f stand for true
// and false on both sides.
func TestFiltersMeanWhatGoExpressionsMean(t *testing.T) {
	inGo := strings.NewReplacer("AND", "&&", "OR", "||", "NOT", "!", "t:1", "true", "f:1", "false", "*", "true")
	rapid.Check(t, func(t *rapid.T) {
		text := sequences(3).Draw(t, "filter")
		e, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		of, err := types.Eval(gotoken.NewFileSet(), nil, gotoken.NoPos, inGo.Replace(text))
		if err != nil {
			t.Fatal(err)
		}
		if want := constant.BoolVal(of.Value); matches(e) != want {
			t.Fatalf("%s, read as %s, is %v", text, e, !want)
		}
	})
}

// sequences draws texts with operators between terms and groups, in no order of precedence.
func sequences(levels int) *rapid.Generator[string] {
	operand := rapid.SampledFrom([]string{"t:1", "f:1", "*"})
	if levels > 0 {
		group := rapid.Map(sequences(levels-1), func(s string) string { return "(" + s + ")" })
		operand = rapid.OneOf(operand, operand, group)
	}
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		for i := range rapid.IntRange(1, 5).Draw(t, "operands") {
			if i > 0 {
				b.WriteString(rapid.SampledFrom([]string{" AND ", " OR "}).Draw(t, "operator"))
			}
			b.WriteString(strings.Repeat("NOT ", rapid.IntRange(0, 2).Draw(t, "nots")))
			b.WriteString(operand.Draw(t, "operand"))
		}
		return b.String()
	})
}

// matches evaluates a filter by the definition of its nodes.
func matches(e Expr) bool {
	switch e := e.(type) {
	case And:
		for _, m := range e {
			if !matches(m) {
				return false
			}
		}
		return true
	case Or:
		for _, m := range e {
			if matches(m) {
				return true
			}
		}
		return false
	case Not:
		return !matches(e.X)
	}
	return e.(Term).Field == "t"
}

func TestNormalFormMatchesTheSame(t *testing.T) {
	leaves := rapid.Map(rapid.SampledFrom([]string{"t", "f"}), func(field string) Expr { return Has(field) })
	rapid.Check(t, func(t *rapid.T) {
		e := literals(4, leaves).Draw(t, "filter")
		normal := Normalise(e)
		if matches(normal) != matches(e) {
			t.Fatalf("%#v is %v, normally %v", e, matches(e), matches(normal))
		}
		if !isNormal(normal) {
			t.Fatalf("%#v is not normal", normal)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, c := range readable {
		f.Add(c.text)
	}
	for _, text := range []string{
		"", "a", "a:", "((", "a:1 b:2", `a:"x\`, "a:“x\"", "a:(1|2/*)", "a:1...2", "a:..5..", "a:5..>6", "\xff", "a:\uFFFD", "NOT NOT", "a:1,2",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Parse(text)
		if err != nil {
			checkError(t, text, err)
			return
		}
		if err := Check(e); err != nil {
			t.Fatal(err)
		}
		if !isNormal(e) {
			t.Fatalf("not normal: %#v", e)
		}
		read, err := Parse(e.String())
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(read, e) || read.String() != e.String() {
			t.Fatalf("%s\nread %#v\nwas  %#v", e, read, e)
		}
	})
}

// checkError checks that an error is of the kind promised, points into the text, and can
// be shown anywhere.
func checkError(t *testing.T, text string, err error) {
	t.Helper()
	var e *SyntaxError
	if !errors.As(err, &e) || e.Code == "" || e.Message == "" || e.Expected == "" {
		t.Fatalf("%#v", err)
	}
	if e.Offset < 0 || e.Offset > len(text) {
		t.Fatalf("byte %d of %d: %v", e.Offset, len(text), err)
	}
	lines := strings.SplitAfter(text[:e.Offset], "\n")
	if column := 1 + utf8.RuneCountInString(lines[len(lines)-1]); e.Line != len(lines) || e.Column != column {
		t.Fatalf("line %d, column %d; want %d, %d: %v", e.Line, e.Column, len(lines), column, err)
	}
	for _, r := range strings.NewReplacer("\n", "", "\t", "").Replace(err.Error()) {
		if r != utf8.RuneError && !strconv.IsPrint(r) && r != '\u3000' && characterFault(r, utf8.RuneLen(r)) != "" {
			t.Fatalf("%U in %v", r, err)
		}
	}
}
