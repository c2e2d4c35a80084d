package filter

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func parsed(t testing.TB, text string) Expr {
	t.Helper()
	e, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestBuilderMakesWhatParseMakes(t *testing.T) {
	for text, built := range map[string]Expr{
		"region:CN-31/* AND (level:vip OR rfm:champion) AND NOT status:dormant": AllOf(
			Under("region", "CN-31"), AnyOf(Is("level", "vip"), Is("rfm", "champion")), Except(Is("status", "dormant"))),
		"level:(vip|gold)":              Is("level", "vip", "gold"),
		`name:"a b"`:                    Is("name", "a b"),
		"n:5..10":                       Between("n", "5", "10"),
		"n:>5..<10":                     Range("n", Bound{"5", true}, Bound{"10", true}),
		"n:>=5 AND n:<=5":               AllOf(AtLeast("n", "5"), AtMost("n", "5")),
		"n:>5 OR n:<5":                  AnyOf(Above("n", "5"), Below("n", "5")),
		"has:region OR missing:level":   AnyOf(Has("region"), Missing("level")),
		"segment:x":                     Segment("x"),
		"*":                             AllOf(),
		"NOT *":                         AnyOf(),
		"a:1":                           AllOf(AnyOf(Is("a", "1"))),
		"a:1 AND b:2 AND c:3":           AllOf(AllOf(Is("a", "1"), Is("b", "2")), All(), Is("c", "3")),
		"a:1 OR b:2":                    Except(Except(AnyOf(None(), Is("a", "1"), Is("b", "2")))),
		"NOT * AND a:1":                 AllOf(Is("b"), Is("a", "1")),
		"region:(CN-31/*|CN-32/*) OR *": AnyOf(Under("region", "CN-31", "CN-32"), Except(None())),
	} {
		if e := parsed(t, text); !reflect.DeepEqual(e, built) {
			t.Errorf("%s: built %#v, parsed %#v", text, built, e)
		}
	}
}

func TestBuilderKeepsNothingOfItsCaller(t *testing.T) {
	values, members := []string{"vip", "gold"}, []Expr{Has("a"), Has("b")}
	e := AnyOf(Is("level", values...), AllOf(members...))
	values[0], members[0] = "lost", None()
	if want := "level:(vip|gold) OR has:a AND has:b"; e.String() != want {
		t.Errorf("is %s, want %s", e, want)
	}
}

func TestWalkGoesInwardsFromLeftToRight(t *testing.T) {
	e := parsed(t, "a:1 AND (b:2 OR NOT c:3) AND d:4")
	var seen []string
	Walk(e, func(e Expr) bool {
		seen = append(seen, e.String())
		_, is := e.(Not)
		return !is
	})
	want := []string{e.String(), "a:1", "b:2 OR NOT c:3", "b:2", "NOT c:3", "d:4"}
	if !slices.Equal(seen, want) {
		t.Errorf("%q, want %q", seen, want)
	}
}

func TestTermsFieldsAndSegments(t *testing.T) {
	e := parsed(t, "z:1 AND (segment:s OR NOT a:1..2) AND has:z AND segment:r AND segment:s")
	var terms []string
	for term := range Terms(e) {
		if terms = append(terms, term.String()); len(terms) == 3 {
			break
		}
	}
	if want := []string{"z:1", "segment:s", "a:1..2"}; !slices.Equal(terms, want) {
		t.Errorf("terms %q, want %q", terms, want)
	}
	if got := Fields(e); !slices.Equal(got, []string{"a", "z"}) {
		t.Errorf("fields %q", got)
	}
	if got := Segments(e); !slices.Equal(got, []string{"r", "s"}) {
		t.Errorf("segments %q", got)
	}
}

func TestRewriteInlinesSegments(t *testing.T) {
	saved := map[string]string{"good": "level:(vip|gold) OR rfm:champion", "here": "region:CN-31/* AND NOT segment:good"}
	var inline func(Expr) (Expr, error)
	inline = func(e Expr) (Expr, error) {
		term, is := e.(Term)
		if !is || term.Op != OpSegment {
			return e, nil
		}
		text, known := saved[term.Values[0]]
		if !known {
			return nil, errors.New("no segment " + term.Values[0])
		}
		return Rewrite(parsed(t, text), inline)
	}

	e, err := Rewrite(parsed(t, "a:1 AND segment:here AND segment:good"), inline)
	want := "a:1 AND region:CN-31/* AND NOT (level:(vip|gold) OR rfm:champion) AND (level:(vip|gold) OR rfm:champion)"
	if err != nil || !reflect.DeepEqual(e, parsed(t, want)) {
		t.Errorf("%v, %v\nwant %s", e, err, want)
	}
	if _, err := Rewrite(parsed(t, "NOT (a:1 OR segment:x)"), inline); err == nil || err.Error() != "no segment x" {
		t.Errorf("unknown segment: %v", err)
	}
}

func TestDepthAndSizeAreThoseOfTheText(t *testing.T) {
	for text, want := range map[string][2]int{
		"a:1":                           {0, 1},
		"*":                             {0, 1},
		"NOT *":                         {1, 1},
		"a:1 AND b:2 OR c:3":            {0, 3},
		"a:(1|2|3) AND n:1..9":          {0, 4},
		"a:1 AND (b:2 OR c:3)":          {1, 3},
		"a:1 AND (b:2 OR NOT c:3)":      {2, 3},
		"NOT (a:1 OR NOT (b:2 AND *))":  {3, 2},
		"NOT (a:1 OR NOT (b:2 OR c:3))": {4, 3},
	} {
		e := parsed(t, text)
		if Depth(e) != want[0] || Size(e) != want[1] {
			t.Errorf("%s: depth %d and size %d, want %v", text, Depth(e), Size(e), want)
		}
	}
}

func TestCheckRefusesWhatParseCannotReadBack(t *testing.T) {
	var cyclic And = make(And, 1)
	cyclic[0] = cyclic
	wide := And{Has("a"), Has("b")}
	for range 40 {
		wide = And{wide, wide}
	}
	deep := Has("a")
	for range 10_000 {
		deep = Not{Or{Has("b"), deep}}
	}
	flat := Has("a")
	for range MaxDepth + 1 {
		flat = AllOf(Has("a"), AnyOf(Has("b"), flat))
	}
	for name, c := range map[string]struct {
		e    Expr
		code Code
	}{
		"nil":                 {nil, CodeExpression},
		"nil inside":          {And{Has("a"), Not{}}, CodeExpression},
		"pointer":             {&Term{Field: "a", Op: OpHas}, CodeExpression},
		"field":               {Is("a:1 OR b", "2"), CodeField},
		"reserved field":      {Has("segment"), CodeField},
		"no field":            {Has(""), CodeField},
		"long field":          {Has(strings.Repeat("a", MaxField+1)), CodeField},
		"empty value":         {Is("a", "1", ""), CodeValue},
		"control":             {Is("a", "1\n2"), CodeCharacter},
		"not UTF-8":           {Between("a", "1", "\xff"), CodeCharacter},
		"U+FFFD":              {Segment("\uFFFD"), CodeCharacter},
		"invisible":           {Is("a", "\u200B"), CodeCharacter},
		"no values":           {Term{Field: "a"}, CodeExpression},
		"no bounds":           {Range("a", Bound{}, Bound{}), CodeExpression},
		"open and exclusive":  {Range("a", Bound{"1", false}, Bound{"", true}), CodeExpression},
		"value of has":        {Term{Field: "a", Op: OpHas, Values: []string{"1"}}, CodeExpression},
		"bound of a value":    {Term{Field: "a", Values: []string{"1"}, To: Bound{Value: "2"}}, CodeExpression},
		"field of a segment":  {Term{Field: "a", Op: OpSegment, Values: []string{"1"}}, CodeExpression},
		"two segments in one": {Term{Op: OpSegment, Values: []string{"1", "2"}}, CodeExpression},
		"unknown operator":    {Term{Field: "a", Op: 99, Values: []string{"1"}}, CodeExpression},
		"cyclic":              {cyclic, CodeTooDeep},
		"deep":                {deep, CodeTooDeep},
		"one level too deep":  {flat, CodeTooDeep},
		"wide":                {wide, CodeTooMany},
		"many values":         {Is("a", slices.Repeat([]string{"1"}, MaxTerms+1)...), CodeTooMany},
		"long":                {Is("a", strings.Repeat("1", MaxLength)), CodeTooLong},
	} {
		err := Check(c.e)
		var e *SyntaxError
		if !errors.As(err, &e) || e.Code != c.code {
			t.Errorf("%s: %v, want code %s", name, err, c.code)
		}
	}
	if err := Check(flat.(And)[1].(Or)[1]); err != nil {
		t.Errorf("as deep as may be: %v", err)
	}
}

// Nothing that is no filter prints as one.
func TestWhatIsNoFilterPrintsAsNone(t *testing.T) {
	for want, e := range map[string]Expr{
		"has:a AND <<nil>>":  And{Has("a"), nil},
		"NOT <*filter.Term>": Not{&Term{Field: "a", Op: OpHas}},
		"a:()":               Term{Field: "a"},
		"<*filter.And>":      Or{(*And)(nil)},
	} {
		if e.String() != want {
			t.Errorf("%#v is %s, want %s", e, e, want)
		}
		if _, err := Parse(e.String()); err == nil {
			t.Errorf("%s is a filter", e)
		}
	}
	err := Check(And{Has("a"), nil})
	if want := "filter: <nil> is no filter; expected And, Or, Not or Term, as a value"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
