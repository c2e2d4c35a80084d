package search

import (
	"strings"
	"testing"

	"github.com/clientele-go/clientele/customer"
)

// marked writes a fragment with brackets around its marks.
func marked(f Fragment) string {
	var b strings.Builder
	b.WriteString(f.Field + " ")
	at := 0
	for _, m := range f.Marks {
		b.WriteString(f.Text[at:m.Start] + "[" + f.Text[m.Start:m.End] + "]")
		at = m.End
	}
	b.WriteString(f.Text[at:])
	return b.String()
}

func TestHighlighterMarks(t *testing.T) {
	for _, test := range []struct {
		text string
		c    *customer.Customer
		want string
	}{
		{"水泥", few[0], "name 臺灣[水泥]股份有限公司"},
		{"台湾", few[0], "name [臺灣]水泥股份有限公司"},
		{"taiwan shui", few[0], "name [臺灣水]泥股份有限公司 | email Finance@[Taiwan]Cement.com | contact an.ping@[taiwan]cement.com | website http://www.[taiwan]cement.com/zh"},
		{"twsn", few[0], "name [臺灣水泥]股份有限公司"},
		{"tclkj", few[8], "name [TCL科技]集团股份有限公司"},
		{"at", few[4], "name [Acme T]rading Co., Ltd."},
		{"11913502", few[0], "identifier [11913502]"},
		{"c00", few[0], "code [C00]0001"},
		{"ac0005", few[4], "code [AC-0005]"},
		{"2531 7099", few[0], "phone (02)[2531-7099]"},
		{"0912345678", few[0], "contact [0912-345-678]"},
		{"２５３１７０９９ ext 12", few[0], "phone (02)[2531-7099]"},
		{"25317099", &customer.Customer{Phones: []customer.Phone{{Number: "（０２）２５３１－７０９９"}}}, "phone （０２）[２５３１－７０９９]"},
		{"中山北路", few[0], "address 台北市[中山北路]2段113號"},
		{"张安平", few[0], "contact [張安平]"},
		{"acme trad", few[4], "name [Acme] [Trad]ing Co., Ltd. | email sales@[acme].co.uk"},
		{"cafe", few[11], "name [Café] Zoë"},
		{"nobody", few[0], ""},
	} {
		h, err := NewHighlighter(test.text)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range h.Fragments(test.c) {
			got = append(got, marked(f))
		}
		if joined := strings.Join(got, " | "); joined != test.want {
			t.Errorf("%q\ngot  %s\nwant %s", test.text, joined, test.want)
		}
	}
}

func TestHighlighterCutsLongNotes(t *testing.T) {
	h, err := NewHighlighter("合同")
	if err != nil {
		t.Fatal(err)
	}
	note := strings.Repeat("前", 300) + "合同" + strings.Repeat("后", 300)
	fragments := h.Fragments(&customer.Customer{Note: note})
	if len(fragments) != 1 || len(fragments[0].Text) > longText+6 || !strings.Contains(marked(fragments[0]), "前[合同]后") {
		t.Errorf("fragments are %+v", fragments)
	}
}

// What folding leaves out within a word doesn't part it: apostrophes, joiners, marks.
func TestHighlighterMarksWordsOfSeveralParts(t *testing.T) {
	for _, test := range []struct{ text, note, want string }{
		{"obrien", "O'Brien & Sons", "[O'Brien] & Sons"},
		{"o'brien", "Sons of OBrien", "Sons of [OBrien]"},
		{"loreal", "L’Oréal China", "[L’Oréal] China"},
		{"cafes", "Cafe\u0301s de Paris", "[Cafe\u0301s] de Paris"}, // decomposed
		{"สวัสดี", "บริษัท สวัสดี จำกัด", "บริษัท [สวัสดี] จำกัด"},      // vowels are marks
		{"می\u200cخواهم", "شرکت می\u200cخواهم", "شرکت [می\u200cخواهم]"}, // with a joiner
		{"tea", "Tea-House", "[Tea]-House"},
		{"teahouse", "Tea-House", ""}, // a hyphen parts words
	} {
		h, err := NewHighlighter(test.text)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range h.Fragments(&customer.Customer{Note: test.note}) {
			got += strings.TrimPrefix(marked(f), "note ")
		}
		if got != test.want {
			t.Errorf("%q in %q: %q, want %q", test.text, test.note, got, test.want)
		}
	}
}

// A mark that is longer than what is kept of a long text is cut with it.
func TestHighlighterCutsLongMarks(t *testing.T) {
	long := strings.Repeat("abcde", 90) // 450 letters
	h, err := NewHighlighter(long)
	if err != nil {
		t.Fatal(err)
	}
	f := h.Fragments(&customer.Customer{Note: long + " end"})
	if len(f) != 1 || len(f[0].Text) != longText || len(f[0].Marks) != 1 || f[0].Marks[0] != (Mark{0, longText}) {
		t.Errorf("%+v", f)
	}
}

// FuzzHighlighter checks that marks are in order, apart, and on characters.
func FuzzHighlighter(f *testing.F) {
	f.Add("taiwan 水泥 138", "臺灣水泥 Co. ½㎏ﬁ")
	f.Fuzz(func(t *testing.T, query, name string) {
		h, err := NewHighlighter(query)
		if err != nil {
			return
		}
		c := &customer.Customer{Name: name, Note: name, Code: name, Phones: []customer.Phone{{Number: name}}}
		for _, fragment := range h.Fragments(c) {
			last := 0
			for _, m := range fragment.Marks {
				if m.Start < last || m.End <= m.Start || m.End > len(fragment.Text) {
					t.Fatalf("%q in %q: marks %v", query, fragment.Text, fragment.Marks)
				}
				last = m.End
			}
		}
	})
}
