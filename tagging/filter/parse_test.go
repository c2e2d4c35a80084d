package filter

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func is(field string, values ...string) Term { return Term{Field: field, Op: OpIs, Values: values} }
func under(field string, values ...string) Term {
	return Term{Field: field, Op: OpUnder, Values: values}
}
func between(field string, from, to Bound) Term {
	return Term{Field: field, Op: OpRange, From: from, To: to}
}

// Each text, the expression that it means, and its canonical text; empty where the text
// is canonical already.
var readable = []struct {
	text      string
	want      Expr
	canonical string
}{
	// the page of the design
	{
		"region:CN-31/* AND (level:vip OR rfm:champion) AND NOT status:dormant",
		And{under("region", "CN-31"), Or{is("level", "vip"), is("rfm", "champion")}, Not{is("status", "dormant")}}, "",
	},

	// operators: NOT before AND before OR
	{"a:1 OR b:2 AND NOT c:3", Or{is("a", "1"), And{is("b", "2"), Not{is("c", "3")}}}, ""},
	{"NOT a:1 AND b:2", And{Not{is("a", "1")}, is("b", "2")}, ""},
	{"NOT (a:1 AND b:2)", Not{And{is("a", "1"), is("b", "2")}}, ""},
	{"NOT (a:1 OR b:2) OR c:3", Or{Not{Or{is("a", "1"), is("b", "2")}}, is("c", "3")}, ""},
	{"a:1 and b:2 oR Not c:3", Or{And{is("a", "1"), is("b", "2")}, Not{is("c", "3")}}, "a:1 AND b:2 OR NOT c:3"},
	{"NOT(a:1)AND(b:2 OR c:3)", And{Not{is("a", "1")}, Or{is("b", "2"), is("c", "3")}}, "NOT a:1 AND (b:2 OR c:3)"},
	{"\t a:1\r\n AND\u3000b:2 ", And{is("a", "1"), is("b", "2")}, "a:1 AND b:2"},

	// needless parentheses, nested and double operators
	{"((a:1))", is("a", "1"), "a:1"},
	{"(a:1 AND b:2) AND c:3", And{is("a", "1"), is("b", "2"), is("c", "3")}, "a:1 AND b:2 AND c:3"},
	{"a:1 OR (b:2 OR (c:3 OR d:4))", Or{is("a", "1"), is("b", "2"), is("c", "3"), is("d", "4")}, "a:1 OR b:2 OR c:3 OR d:4"},
	{"a:1 OR (b:2 AND c:3)", Or{is("a", "1"), And{is("b", "2"), is("c", "3")}}, "a:1 OR b:2 AND c:3"},
	{"NOT NOT a:1", is("a", "1"), "a:1"},
	{"NOT (NOT (a:1 OR b:2)) AND c:3", And{Or{is("a", "1"), is("b", "2")}, is("c", "3")}, "(a:1 OR b:2) AND c:3"},

	// everything and nothing
	{"*", And{}, ""},
	{"NOT *", Or{}, ""},
	{"NOT (NOT *)", And{}, "*"},
	{"* AND a:1", is("a", "1"), "a:1"},
	{"NOT * OR a:1", is("a", "1"), "a:1"},
	{"* OR a:1", Or{And{}, is("a", "1")}, ""},
	{"a:1 AND NOT *", And{is("a", "1"), Or{}}, ""},

	// words, also those of the language, and what a word may have
	{"tax.rate:7%", is("tax.rate", "7%"), ""},
	{"x1:AND OR x_2:or", Or{is("x1", "AND"), is("x_2", "or")}, ""},
	{"rep:has", is("rep", "has"), ""},
	{"city:上海", is("city", "上海"), ""},
	{"city:Zu\u0308rich", is("city", "Zu\u0308rich"), ""},
	{"rep:阿·摩", is("rep", "阿·摩"), ""},
	{"mail:li@example.com", is("mail", "li@example.com"), ""},
	{"at:2026-11-22T06:00:00+08:00", is("at", "2026-11-22T06:00:00+08:00"), ""},
	{"sum:-1.5", is("sum", "-1.5"), ""},
	{"a:می\u200cخواهم", is("a", "می\u200cخواهم"), ""}, // Persian, with a joiner
	{"path:a/b", is("path", "a/b"), ""},

	// quotes
	{`a:"North America"`, is("a", "North America"), ""},
	{`a:"vip"`, is("a", "vip"), "a:vip"},
	{`a:"say \"hi\" \\ bye"`, is("a", `say "hi" \ bye`), ""},
	{`a:"CN/*"`, is("a", "CN/*"), ""},
	{`a:"1..2"`, is("a", "1..2"), ""},
	{`a:".5"`, is("a", ".5"), ""},
	{`a:"5."`, is("a", "5."), ""},
	{`a:":b"`, is("a", ":b"), ""},
	{`a:"*"`, is("a", "*"), ""},
	{`a:"重庆（集团）"`, is("a", "重庆（集团）"), ""},
	{`a:"a" AND b:2`, And{is("a", "a"), is("b", "2")}, "a:a AND b:2"},
	{`a:"\\"`, is("a", `\`), ""},

	// lists
	{"level:(vip|gold)", is("level", "vip", "gold"), ""},
	{"level:( vip | gold OR silver or bronze )", is("level", "vip", "gold", "silver", "bronze"), "level:(vip|gold|silver|bronze)"},
	{"level:(or|and)", is("level", "or", "and"), ""},
	{"level:(vip)", is("level", "vip"), "level:vip"},
	{`level:("a b"|c)`, is("level", "a b", "c"), ""},

	// trees
	{"region:CN/*", under("region", "CN"), ""},
	{`region:"North America"/*`, under("region", "North America"), ""},
	{"region:(CN-31/*|CN-32/*)", under("region", "CN-31", "CN-32"), ""},
	{"region:CN//*", under("region", "CN/"), ""},

	// ranges
	{"n:5..10", between("n", Bound{Value: "5"}, Bound{Value: "10"}), ""},
	{"n:>5..10", between("n", Bound{"5", true}, Bound{Value: "10"}), ""},
	{"n:5..<10", between("n", Bound{Value: "5"}, Bound{"10", true}), ""},
	{"n:>5..<10", between("n", Bound{"5", true}, Bound{"10", true}), ""},
	{"n:>=5..<=10", between("n", Bound{Value: "5"}, Bound{Value: "10"}), "n:5..10"},
	{"n:>=5", between("n", Bound{Value: "5"}, Bound{}), ""},
	{"n:>5", between("n", Bound{"5", true}, Bound{}), ""},
	{"n:<=5", between("n", Bound{}, Bound{Value: "5"}), ""},
	{"n:<5", between("n", Bound{}, Bound{"5", true}), ""},
	{"n:5..", between("n", Bound{Value: "5"}, Bound{}), "n:>=5"},
	{"n:5..*", between("n", Bound{Value: "5"}, Bound{}), "n:>=5"},
	{"n:>5..*", between("n", Bound{"5", true}, Bound{}), "n:>5"},
	{"n:..5", between("n", Bound{}, Bound{Value: "5"}), "n:<=5"},
	{"n:*..5", between("n", Bound{}, Bound{Value: "5"}), "n:<=5"},
	{"n:*..<5", between("n", Bound{}, Bound{"5", true}), "n:<5"},
	{"(n:5..)", between("n", Bound{Value: "5"}, Bound{}), "n:>=5"},
	{"n:-1.5..2.5", between("n", Bound{Value: "-1.5"}, Bound{Value: "2.5"}), ""},
	{`n:"a..".."..b"`, between("n", Bound{Value: "a.."}, Bound{Value: "..b"}), ""},
	{"d:2026-01-01..2026-12-31", between("d", Bound{Value: "2026-01-01"}, Bound{Value: "2026-12-31"}), ""},

	// presence and saved filters
	{"has:region", Term{Field: "region", Op: OpHas}, ""},
	{"missing:tax.rate", Term{Field: "tax.rate", Op: OpMissing}, ""},
	{"region:*", Term{Field: "region", Op: OpHas}, "has:region"},
	{"segment:vip-2026 AND NOT segment:\"big spenders\"", And{
		Term{Op: OpSegment, Values: []string{"vip-2026"}}, Not{Term{Op: OpSegment, Values: []string{"big spenders"}}},
	}, ""},

	// what Chinese keyboards produce
	{"（city：上海 或 city：“北 京”） 且 非 level：vip", And{Or{is("city", "上海"), is("city", "北 京")}, Not{is("level", "vip")}},
		`(city:上海 OR city:"北 京") AND NOT level:vip`},
	{"level：（vip｜gold 或 silver）", is("level", "vip", "gold", "silver"), "level:(vip|gold|silver)"},
	{"a:”x y“ OR a:＂x\"y＂ OR a:「x“y」", Or{is("a", "x y"), is("a", `x"y`), is("a", "x“y")}, `a:"x y" OR a:"x\"y" OR a:"x“y"`},
	{`a:“x\”y”`, is("a", "x”y"), `a:"x”y"`},
	{"n:≥5 AND n:≤9 AND m:＞＝1 AND k:＜2", And{
		between("n", Bound{Value: "5"}, Bound{}), between("n", Bound{}, Bound{Value: "9"}),
		between("m", Bound{Value: "1"}, Bound{}), between("k", Bound{}, Bound{"2", true}),
	}, "n:>=5 AND n:<=9 AND m:>=1 AND k:<2"},
	{"region:CN／＊ OR ＊", Or{under("region", "CN"), And{}}, "region:CN/* OR *"},
	{"city:且 且 city:非", And{is("city", "且"), is("city", "非")}, "city:且 AND city:非"},
}

func TestParseReadsWhatIsMeantAndPrintsItCanonically(t *testing.T) {
	for _, c := range readable {
		e, err := Parse(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if !reflect.DeepEqual(e, c.want) {
			t.Errorf("%s\nis   %#v\nwant %#v", c.text, e, c.want)
		}
		canonical := c.canonical
		if canonical == "" {
			canonical = c.text
		}
		if e.String() != canonical {
			t.Errorf("%s\nprints %s\nwant   %s", c.text, e, canonical)
		}
	}
}

// The place of each fault is marked by ^ in front of it, which is not in the text.
func TestParseSaysWhatIsWrongAndWhere(t *testing.T) {
	for _, c := range []struct {
		marked string
		code   Code
		token  string
		line   int
		column int
	}{
		{"^", CodeEmpty, "", 1, 1},
		{" \n ^", CodeEmpty, "", 2, 2},
		{"a:1 ^b:2", CodeOperator, "b", 1, 5},
		{"region:North ^America", CodeOperator, "America", 1, 14},
		{"(a:1) ^(b:2)", CodeOperator, "(", 1, 7},
		{"(a:1 ^b:2)", CodeOperator, "b", 1, 6},
		{"a:1 ^and:2", CodeOperator, "and", 1, 5},
		{"a:1 ^* ", CodeOperator, "*", 1, 5},
		{"^AND a:1", CodeTerm, "AND", 1, 1},
		{"a:1 OR ^", CodeTerm, "", 1, 8},
		{"a:1 AND ^OR b:2", CodeTerm, "OR", 1, 9},
		{"NOT ^", CodeTerm, "", 1, 5},
		{"(^)", CodeTerm, ")", 1, 2},
		{"^!a:1", CodeTerm, "!", 1, 1},
		{`^"a":1`, CodeTerm, `"`, 1, 1},
		{"vip^", CodeColon, "", 1, 4},
		{"level^ : vip", CodeColon, " ", 1, 6},
		{"level^>=silver", CodeColon, ">", 1, 6},
		{"level^=vip", CodeColon, "=", 1, 6},
		{"a:1 AND\nb:2 AND\n\tlevel^>=silver", CodeColon, ">", 3, 7},
		{"^Region:CN", CodeField, "Region", 1, 1},
		{"^-level:vip", CodeField, "-level", 1, 1},
		{"^地区:上海", CodeField, "地区", 1, 1},
		{"^1a:1", CodeField, "1a", 1, 1},
		{"^a..b:1", CodeField, "a..b", 1, 1},
		{"^a.:1", CodeField, "a.", 1, 1},
		{"^or:1", CodeField, "or", 1, 1},
		{"has:^", CodeField, "", 1, 5},
		{"has:^missing", CodeField, "missing", 1, 5},
		{"missing:^\"a\"", CodeField, `"`, 1, 9},
		{"^" + strings.Repeat("a", 101) + ":1", CodeField, strings.Repeat("a", 40) + "…", 1, 1},
		{"a:^", CodeValue, "", 1, 3},
		{"a:^ 1", CodeValue, " ", 1, 3},
		{"a:^)", CodeValue, ")", 1, 3},
		{"a:^:1", CodeValue, ":", 1, 3},
		{"a:^.5", CodeValue, ".5", 1, 3},
		{`a:^""`, CodeValue, `"`, 1, 3},
		{"a:^=1", CodeValue, "=", 1, 3},
		{"a:>^", CodeValue, "", 1, 4},
		{"a:(^)", CodeValue, ")", 1, 4},
		{"a:(1|^)", CodeValue, ")", 1, 6},
		{"segment:^(a|b)", CodeValue, "(", 1, 9},
		{"a:1^,2", CodeUnquoted, ",", 1, 4},
		{"a:1^|2", CodeUnquoted, "|", 1, 4},
		{"a:CN^*", CodeUnquoted, "*", 1, 5},
		{"a:重庆^（集团）", CodeUnquoted, "（", 1, 5},
		{"*^a:1", CodeUnquoted, "a", 1, 2},
		{"a:<5^..6", CodeUnquoted, "..6", 1, 5},
		{"a:5..6^..7", CodeUnquoted, "..7", 1, 7},
		{"a:5^.", CodeUnquoted, ".", 1, 4},
		{`a:"b"^c`, CodeUnquoted, "c", 1, 6},
		{`a:^"b`, CodeQuote, `"`, 1, 3},
		{`a:^“b"`, CodeQuote, "“", 1, 3},
		{"a:^\"b\n\"", CodeQuote, `"`, 1, 3},
		{`a:"b^\n"`, CodeEscape, `\`, 1, 5},
		{`a:"b^\`, CodeEscape, `\`, 1, 5},
		{"a:(1 ^2)", CodeList, "2", 1, 6},
		{"a:(1^,2)", CodeList, ",", 1, 5},
		{"a:(1|^2/*)", CodeList, "2/", 1, 6},
		{"a:(1/*|^2)", CodeList, "2", 1, 8},
		{"a:^..", CodeRange, "..", 1, 3},
		{"a:^*..*", CodeRange, "*", 1, 3},
		{"a:5..^>6", CodeRange, ">", 1, 6},
		{"a:1^)", CodeParenthesis, ")", 1, 4},
		{"^(a:1", CodeParenthesis, "(", 1, 1},
		{"a:1 AND ^(b:2 OR (c:3)", CodeParenthesis, "(", 1, 9},
		{"a:^(1|2", CodeParenthesis, "(", 1, 3},
		{"a:上海^\xff", CodeCharacter, "\xff", 1, 5},
		{"a:^\xed\xa0\x80", CodeCharacter, "\xed", 1, 3}, // an unpaired surrogate
		{"a:1^\uFFFD", CodeCharacter, "\uFFFD", 1, 4},
		{"a:1^\x00", CodeCharacter, "\x00", 1, 4},
		{"a:1 ^\u0085AND b:2", CodeCharacter, "\u0085", 1, 5},
		{"a:1 ^\u2028AND b:2", CodeCharacter, "\u2028", 1, 5},
		{"^\uFEFFa:1", CodeCharacter, "\uFEFF", 1, 1},
		{"a:\"1^\u202E2\"", CodeCharacter, "\u202E", 1, 5},
		{"a:\"1^\t2\"", CodeCharacter, "\t", 1, 5},
		{"a:\"1^\uFDD0\"", CodeCharacter, "\uFDD0", 1, 5},
	} {
		offset := strings.IndexByte(c.marked, '^')
		text := c.marked[:offset] + c.marked[offset+1:]
		_, err := Parse(text)
		var e *SyntaxError
		if !errors.As(err, &e) || !errors.Is(err, ErrSyntax) {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if e.Code != c.code || e.Offset != offset || e.Token != c.token || e.Line != c.line || e.Column != c.column {
			t.Errorf("%q: %s at byte %d, line %d, column %d, token %q; want %s at %d, %d, %d, %q\n%v",
				text, e.Code, e.Offset, e.Line, e.Column, e.Token, c.code, offset, c.line, c.column, c.token, err)
		}
		if e.Message == "" || e.Expected == "" {
			t.Errorf("%q: no message or nothing expected: %v", text, err)
		}
	}
}
