package search

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/sample"
	"github.com/clientele-go/clientele/internal/text"
)

// only is a scope of one customer, so that a text that many share still shows the one.
type only customer.ID

func (o only) Contains(id customer.ID) bool { return id == customer.ID(o) }

func rankOf(t testing.TB, x *Index, text string, id customer.ID) Rank {
	t.Helper()
	r := find(t, x, Query{Text: text, Within: only(id), AllStatuses: true, Exact: true})
	if r.Total != 1 || len(r.Hits) != 1 || r.Hits[0].ID != id {
		t.Fatalf("%q finds %v, want customer %d", text, r.Hits, id)
	}
	return r.Hits[0].Rank
}

// TestEveryCustomerIsFoundByWhatItHas asks for each sample customer by its code,
// identifiers, name, the name's pinyin and initials, phones and the e-mail address.
func TestEveryCustomerIsFoundByWhatItHas(t *testing.T) {
	customers := slices.Collect(sample.Customers(5, longOr(150, 5000)))
	x, _ := create(t, Options{})
	build(t, x, customers[:100], 1)
	apply(t, x, Batch{Put: customers[100:], After: 1, Cursor: 2})
	for _, c := range customers {
		expectRank(t, x, c.Code, c.ID, RankExact)
		for _, id := range c.Identifiers {
			expectRank(t, x, id.Value, c.ID, RankExact)
		}
		for _, p := range c.Phones {
			digits := onlyDigits(p.Number)
			expectRank(t, x, p.Number, c.ID, RankExact)
			expectRank(t, x, p.E164, c.ID, RankExact)
			rankOf(t, x, digits[len(digits)-6:], c.ID)
			rankOf(t, x, digits[len(digits)-4:], c.ID)
		}
		for _, e := range c.Emails {
			expectRank(t, x, e.Address, c.ID, RankExact)
		}
		expectRank(t, x, c.Name, c.ID, RankName)
		if initials := text.Initials(c.Name); utf8.RuneCountInString(initials) > 1 {
			expectRank(t, x, initials, c.ID, RankPrefix)
		}
		if spelled := strings.Join(text.Pinyin(c.Name), " "); strings.ContainsFunc(c.Name, text.Han) && len(spelled) <= maxPinyinLetters {
			expectRank(t, x, spelled, c.ID, RankPrefix)
		}
		for _, contact := range c.Contacts {
			rankOf(t, x, contact.Name, c.ID)
		}
		rankOf(t, x, c.Addresses[0].Text, c.ID)
	}
}

// expectRank expects at least the rank: a name may also be found better.
func expectRank(t testing.TB, x *Index, text string, id customer.ID, worst Rank) {
	t.Helper()
	if rank := rankOf(t, x, text, id); rank > worst {
		t.Fatalf("%q finds customer %d as %s, want %s", text, id, rank, worst)
	}
}

// TestPagesAddUpToTheWhole walks answers in pages of many sizes.
func TestPagesAddUpToTheWhole(t *testing.T) {
	customers := slices.Collect(sample.Customers(2, 800))
	x := open(t, customers[:500], Options{})
	apply(t, x, Batch{Put: customers[500:], After: 1, Cursor: 2}) // a second segment
	for _, text := range []string{"", "科技", "sz", "wang", "有限公司 深圳", "1", "acme tradin", "jonson", "盛达 火星 贸易"} {
		whole := find(t, x, Query{Text: text, Limit: MaxLimit, Within: evens{}})
		for _, size := range []int{1, 7, 50} {
			q := Query{Text: text, Limit: size, Within: evens{}}
			first := find(t, x, q)
			if len(first.Hits) < size && first.Next != "" || first.Total < len(first.Hits) {
				t.Fatalf("%q by %d: %d hits of %d, next %q", text, size, len(first.Hits), first.Total, first.Next)
			}
			all := walk(t, x, q)
			if len(all) != first.Total {
				t.Fatalf("%q by %d: pages have %d hits, the total is %d", text, size, len(all), first.Total)
			}
			// A short page may be widened by similar words where a long one is not needed to.
			if first.Total == whole.Total && !slices.Equal(all, whole.Hits) {
				t.Fatalf("%q by %d: %v\nwhole: %v", text, size, show(all), show(whole.Hits))
			}
		}
	}
}

func walk(t *testing.T, x *Index, q Query) []Hit {
	t.Helper()
	var all []Hit
	for {
		r := find(t, x, q)
		for _, h := range r.Hits {
			if h.ID%2 != 0 || slices.ContainsFunc(all, func(a Hit) bool { return a.ID == h.ID }) {
				t.Fatalf("%q: customer %d is out of scope or comes twice", q.Text, h.ID)
			}
		}
		all = append(all, r.Hits...)
		if r.Next == "" {
			return all
		}
		q.After = r.Next
	}
}

// TestPagesStayInPlaceWhileCustomersCome adds customers between two pages: those
// that were there come once each.
func TestPagesStayInPlaceWhileCustomersCome(t *testing.T) {
	customers := slices.Collect(sample.Customers(2, 400))
	x := open(t, customers[:300], Options{})
	before := find(t, x, Query{Text: "公司", Limit: MaxLimit})
	q := Query{Text: "公司", Limit: 20}
	var seen []Hit
	for cursor := uint64(1); ; cursor++ {
		r := find(t, x, q)
		seen = append(seen, r.Hits...)
		if q.After = r.Next; q.After == "" {
			break
		}
		if from := 300 + 10*int(cursor-1); from < 400 {
			apply(t, x, Batch{Put: customers[from : from+10], After: cursor, Cursor: cursor + 1})
		} else {
			apply(t, x, Batch{After: cursor, Cursor: cursor + 1})
		}
	}
	for _, h := range before.Hits {
		n := 0
		for _, s := range seen {
			if s == h {
				n++
			}
		}
		if n != 1 {
			t.Fatalf("%v came %d times", h, n)
		}
	}
}

// FuzzSearch looks for panics, hangs and answers that break the rules.
func FuzzSearch(f *testing.F) {
	for _, seed := range []string{"", "水泥", "tai wan", "twsn", "(02) 2531-7099", "a@b.c", "113號", "0", "++", "C-0", "nǚ", "\xff", "𠀀", "ﬁ½㎏", "xianxianxianxianxianxian"} {
		f.Add(seed)
	}
	x := open(f, few, Options{})
	f.Fuzz(func(t *testing.T, text string) {
		r, err := x.Search(context.Background(), Query{Text: text, Limit: 5})
		if err != nil {
			if _, ok := err.(*QueryError); !ok {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if len(r.Hits) > 5 || r.Total < len(r.Hits) || r.Total > len(few) {
			t.Fatalf("%q: %d hits of %d", text, len(r.Hits), r.Total)
		}
		picked, err := x.Pick(context.Background(), Query{Text: text, Limit: 5})
		if err != nil || !slices.Equal(picked, r.Hits) {
			t.Fatalf("%q: Pick returns %v (%v), Search %v", text, picked, err, r.Hits)
		}
		if _, err := NewHighlighter(text); err != nil {
			t.Fatalf("%q is searched but not highlighted: %v", text, err)
		}
	})
}

// TestLongAndOddTexts runs texts that cost most.
func TestLongAndOddTexts(t *testing.T) {
	x := open(t, slices.Collect(sample.Customers(1, 300)), Options{})
	for _, text := range []string{
		strings.Repeat("水", MaxTextRunes), strings.Repeat("a", MaxTextRunes), strings.Repeat("1", MaxTextRunes),
		strings.Repeat("xian", 18), strings.Repeat("a ", MaxWords), strings.Repeat("@", 100), strings.Repeat("#", 100),
		strings.Repeat("水泥a", 15), "'\"\\*?~^:()[]{}", "\u200b", "\x00", "%00", "a\u0301\u0301\u0301",
	} {
		if _, err := x.Search(context.Background(), Query{Text: text}); err != nil {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

// TestRealCompanies indexes names of listed companies and finds each by its name,
// pinyin initials and short forms. The data is described in testdata/SOURCE.md.
func TestRealCompanies(t *testing.T) {
	companies := readCompanies(t, "testdata/tw_listed.csv")
	x := open(t, companies, Options{})
	for _, c := range companies {
		expectRank(t, x, c.Name, c.ID, RankName)
		expectRank(t, x, text.Simplify(c.Name), c.ID, RankName)
		expectRank(t, x, text.Initials(c.Name), c.ID, RankPrefix)
		expectRank(t, x, c.Phones[0].Number, c.ID, RankExact)
		expectRank(t, x, c.Identifiers[0].Value, c.ID, RankExact)
		rankOf(t, x, c.Addresses[0].Text, c.ID)
	}
}

// readCompanies reads columns id, name, address, chairman, phone, e-mail, website and tax id.
func readCompanies(t testing.TB, path string) []*customer.Customer {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var companies []*customer.Customer
	for i, row := range rows[1:] {
		companies = append(companies, &customer.Customer{
			ID: customer.ID(i + 1), Version: 1, Code: row[0], Name: row[1], Country: "TW",
			Addresses: []customer.Address{{Text: row[2]}}, Contacts: []customer.Contact{{Name: row[3]}},
			Phones: []customer.Phone{{Number: row[4]}}, Emails: []customer.Email{{Address: row[5]}}, Website: row[6],
			Identifiers: []customer.Identifier{{Scheme: "tw.ubn", Value: row[7]}},
		})
	}
	return companies
}

// TestRegistersOfListedCompanies runs the properties over whole registers, where the
// data is at hand.
func TestRegistersOfListedCompanies(t *testing.T) {
	for _, register := range []string{"tw_listed_drift", "cn_listed_short"} {
		t.Run(register, func(t *testing.T) {
			path := filepath.Join("../../../shared/data/er", register, "records.csv")
			if _, err := os.Stat(path); err != nil {
				t.Skipf("SKIPPED: %s is not here", path)
			}
			companies := readNames(t, path)
			x := open(t, companies, Options{})
			for i, c := range companies {
				if i%longOr(17, 1) != 0 {
					continue
				}
				expectRank(t, x, c.Name, c.ID, RankName)
				if initials := text.Initials(c.Name); utf8.RuneCountInString(initials) > 2 {
					expectRank(t, x, initials, c.ID, RankPrefix)
				}
				if runes := []rune(c.Name); text.Han(runes[len(runes)/3]) { // within a word at least two letters count
					rankOf(t, x, string(runes[len(runes)/3:]), c.ID)
				}
			}
		})
	}
}

// readNames reads the companies' names, the third column of a register.
func readNames(t testing.TB, path string) []*customer.Customer {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var companies []*customer.Customer
	for i, row := range rows[1:] {
		companies = append(companies, &customer.Customer{ID: customer.ID(i + 1), Version: 1, Name: row[2]})
	}
	return companies
}
