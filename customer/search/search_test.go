package search

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
)

// few are customers that between them have what the tests look for. The ids are
// the positions, counted from 1.
var few = []*customer.Customer{
	{Code: "C000001", Name: "臺灣水泥股份有限公司", Country: "TW", Aliases: []string{"台泥"},
		Identifiers: []customer.Identifier{{Scheme: "tw.ubn", Value: "11913502"}},
		Phones:      []customer.Phone{{Number: "(02)2531-7099", E164: "+886225317099"}},
		Emails:      []customer.Email{{Address: "Finance@TaiwanCement.com"}},
		Website:     "http://www.taiwancement.com/zh", Owner: 3, Rep: "wang.li",
		Addresses: []customer.Address{{Text: "台北市中山北路2段113號", Country: "TW", Province: "臺北市", City: "臺北市", District: "中山區"}},
		Contacts:  []customer.Contact{{Name: "張安平", Phone: "0912-345-678", Email: "an.ping@taiwancement.com"}}},
	{Code: "C000002", Name: "亞洲水泥股份有限公司", Country: "TW",
		Phones:    []customer.Phone{{Number: "02-2733-8000", E164: "+886227338000"}},
		Addresses: []customer.Address{{Text: "台北市大安區敦化南路2段207號30、31樓", Province: "臺北市"}}},
	{Code: "C000003", Name: "重庆长安汽车股份有限公司", Country: "CN", Kind: customer.Prospect,
		Identifiers: []customer.Identifier{{Scheme: "cn.uscc", Value: "9150000020286320X6"}},
		Phones:      []customer.Phone{{Number: "138 1234 5678", E164: "+8613812345678"}},
		Addresses:   []customer.Address{{Text: "重庆市江北区建新东路260号", Province: "重庆市", City: "重庆市", District: "江北区"}}},
	{Code: "C000004", Name: "厦门航空有限公司", Country: "CN",
		Addresses: []customer.Address{{Text: "福建省厦门市湖里区埭辽路22号", Province: "福建省", City: "厦门市"}}},
	{Code: "AC-0005", Name: "Acme Trading Co., Ltd.", Country: "GB",
		Emails:    []customer.Email{{Address: "sales@acme.co.uk"}},
		Addresses: []customer.Address{{Text: "12 Harbour View, London"}}},
	{Code: "C000006", Name: "Johnson & Mitchell Engineering PLC", Country: "US",
		SourceKeys: []customer.SourceKey{{System: "erp", Key: "K-0077"}},
		Note:       "Prefers delivery on Fridays 星期五送货"},
	{Code: "C000007", Name: "王伟", Party: customer.Person, Country: "CN",
		Phones: []customer.Phone{{Number: "13900001111", E164: "+8613900001111"}}},
	{Code: "C000008", Name: "水泥", Country: "CN"},
	{Code: "C000009", Name: "TCL科技集团股份有限公司", Country: "CN"},
	{Code: "C000010", Name: "旧水泥厂", Status: customer.Archived},
	{Code: "C000011", Name: "北京水泥有限公司", Country: "CN", Status: customer.Suspended},
	{Code: "C000012", Name: "Café Zoë", Country: "FR"},
}

func init() {
	for i, c := range few {
		c.ID = customer.ID(i + 1)
		c.Version = uint64(i + 1)
		c.Created = time.Date(2026, 1, 1+i, 8, 0, 0, 0, time.UTC)
	}
}

// open returns an index of the customers, in memory.
func open(t testing.TB, customers []*customer.Customer, options Options) *Index {
	t.Helper()
	x, err := Create("", options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	apply(t, x, Batch{Put: customers, Cursor: 1})
	return x
}

func apply(t testing.TB, x *Index, b Batch) {
	t.Helper()
	if err := x.Apply(context.Background(), b); err != nil {
		t.Fatal(err)
	}
}

// find returns what Search and Pick agree on.
func find(t testing.TB, x *Index, q Query) Result {
	t.Helper()
	r, err := x.Search(context.Background(), q)
	if err != nil {
		t.Fatalf("Search(%q): %v", q.Text, err)
	}
	if q.After != "" {
		return r
	}
	picked, err := x.Pick(context.Background(), q)
	if err != nil {
		t.Fatalf("Pick(%q): %v", q.Text, err)
	}
	if !slices.Equal(picked, r.Hits) {
		t.Fatalf("%q: Pick returns %v, Search %v", q.Text, picked, r.Hits)
	}
	return r
}

// show writes hits as their ids with the rank's first letters.
func show(hits []Hit) string {
	var parts []string
	for _, h := range hits {
		parts = append(parts, fmt.Sprintf("%d:%s", h.ID, h.Rank))
	}
	return strings.Join(parts, " ")
}

// The answers follow from the data by hand: for each text, who has it, where, and
// then the shorter name and the smaller id first.
func TestSearchFindsBy(t *testing.T) {
	x := open(t, few, Options{})
	for _, test := range []struct{ what, text, want string }{
		{"name", "臺灣水泥股份有限公司", "1:name"},
		{"name, simplified", "台湾水泥股份有限公司", "1:name"},
		{"name, other variant of the character", "台灣水泥", "1:prefix"},
		{"short whole name first, then as prefix, then inside", "水泥", "8:name 11:contains 1:contains 2:contains"},
		{"fragment", "洲水", "2:contains"},
		{"fragment into the legal form", "水泥股份", "1:contains 2:contains"},
		{"part of legal forms only", "集团", "9:contains"},
		{"one character at the head", "厦", "4:prefix"},
		{"one character inside", "航", "4:contains"},
		{"last character", "厂", ""}, // archived
		{"last character of a person", "伟", "7:contains"},

		{"pinyin", "taiwanshuini", "1:prefix"},
		{"pinyin in words", "tai wan shui ni", "1:prefix"},
		{"pinyin in uneven words", "taiwan shui", "1:prefix"},
		{"pinyin under way", "taiwansh", "1:prefix"},
		{"pinyin inside", "shuini", "8:prefix 11:contains 1:contains 2:contains"},
		{"pinyin with legal form", "taiwanshuinigufen", "1:prefix"},
		{"pinyin of a part of legal forms", "youxian", "4:contains 11:contains 1:contains 2:contains 3:contains 9:contains"},
		{"pinyin of a part of legal forms, under way", "gongs", "4:contains 11:contains 1:contains 2:contains 3:contains 9:contains"},
		{"initials of a part of legal forms", "gfyx", "1:contains 2:contains 3:contains 9:contains"},
		{"first reading", "chongqing", "3:prefix"},
		{"second reading", "zhongqing", "3:prefix"},
		{"pinyin of a person", "wangwei", "7:prefix"},
		{"capital pinyin", "XiaMen", "4:prefix"},

		{"initials", "twsn", "1:prefix"},
		{"initials of all", "twsngfyxgs", "1:prefix"},
		{"initials, first letters", "tw", "1:prefix"},
		{"initials, one letter", "x", "4:prefix"},
		{"initials inside", "wsn", "1:contains"},
		{"initials of either reading", "cqca", "3:prefix"},
		{"initials of either reading", "zqca", "3:prefix"},
		{"initials of 厦门航空", "xm", "4:prefix"},
		{"initials with Latin letters", "tclkj", "9:prefix"},
		{"initials of English words", "at", "5:prefix"},

		{"code", "C000003", "3:exact"},
		{"code, other case and signs", "ac0005", "5:exact"},
		{"code in pieces", "AC 0005", "5:exact"},
		{"code under way", "c00000", "7:prefix 8:prefix 4:prefix 1:prefix 2:prefix 3:prefix 9:prefix 6:prefix"},
		{"identifier", "11913502", "1:exact"},
		{"identifier in groups", "9150 0000 2028 6320X6", "3:exact"},
		{"key of another system", "K-0077", "6:exact"},

		{"phone", "0225317099", "1:exact"},
		{"phone as written", "(02) 2531-7099", "1:exact"},
		{"phone, full width", "（０２）２５３１－７０９９", "1:exact"},
		{"phone, dashes", "02–2531—7099", "1:exact"},
		{"phone with an extension", "02-2531-7099 分機 12", "1:exact"},
		{"phone with an extension in English", "+886 2 2531 7099 ext. 12", "1:exact"},
		{"phone of a clerk", "0225317099转12", "1:exact"},
		{"phone with words behind", "0225317099 水泥", "1:contains"},
		{"phone, international", "+886 2 2531 7099", "1:exact"},
		{"phone, 00", "00886225317099", "1:exact"},
		{"phone, country code without sign", "8613812345678", "3:exact"},
		{"mobile in groups", "138 1234 5678", "3:exact"},
		{"last four digits", "7099", "1:other"},
		{"last five digits", "45678", "1:other 3:other"}, // 1 by its contact
		{"last six digits", "345678", "1:other 3:other"},
		{"last eight digits", "25317099", "1:other"},
		{"last digits, full width", "７０９９", "1:other"},
		{"inner digits", "2531", "1:other"},
		{"inner digits at an odd place", "7338", "2:other"},
		{"three digits", "338", "2:other"},
		{"area code on", "02-2733", "2:other"},
		{"contact's phone", "0912345678", "1:exact"},

		{"e-mail", "finance@taiwancement.com", "1:exact"},
		{"e-mail under way", "finance@taiwan", "1:other"},
		{"e-mail, local part", "an.ping", "1:other"},
		{"e-mail, local part with @", "sales@", "5:other"},
		{"e-mail, domain", "@acme.co.uk", "5:other"},
		{"domain", "acme.co.uk", "5:other"},
		{"website", "https://www.taiwancement.com", "1:other"},

		{"address", "中山北路2段113號", "1:other"},
		{"address, simplified", "中山北路2段113号", "1:other"},
		{"address fragment", "敦化南路", "2:other"},
		{"house number", "260", "3:other"},
		{"house number with its word", "22号", "4:other"},
		{"English address", "harbour", "5:other"},
		{"alias", "台泥", "1:other"},
		{"alias in pinyin", "taini", "1:other"},
		{"contact", "张安平", "1:other"},
		{"contact in pinyin", "zhanganping", "1:other"},
		{"contact by initials", "zap", "1:other"},
		{"note", "fridays", "6:other"},
		{"note in Chinese", "送货", "6:other"},

		{"English word", "acme", "5:prefix"},
		{"second English word", "trading", "5:contains"},
		{"part of an English word", "radin", "5:contains"},
		{"beginning of a word", "mitch", "6:contains"},
		{"two letters", "jo", "6:prefix"},
		{"two letters inside", "hn", "6:contains"},
		{"last two letters", "ll", "6:contains"},
		{"one letter", "j", "6:prefix"},
		{"words", "johnson engineering", "6:contains"}, // Johnson & Mitchell Engineering,
		{"words in another order", "engineering johnson", "6:contains"},
		{"whole English name", "ACME Trading Co Ltd", "5:name"},
		{"accents", "cafe zoe", "12:name"},
		{"typing error", "jonson", "6:similar"},
		{"exchanged letters", "amce", "5:similar"},
		{"two errors in a long word", "enginering mitchel", "6:similar"},
		{"full width", "ＴＣＬ", "9:prefix 5:contains"}, // 5 by the initials atcl

		{"name and address", "水泥 敦化", "2:other"},
		{"name and district in one word", "长安 江北区", "3:other"},
		{"name and phone", "王伟 1111", "7:other"},
		{"some of the parts", "水泥 火星", "8:partial 11:partial 1:partial 2:partial"},
		{"nobody", "不存在的", ""},
		{"punctuation", "!?。", ""},
		{"emoji", "😀", ""},
	} {
		t.Run(test.what+"/"+test.text, func(t *testing.T) {
			if got := show(find(t, x, Query{Text: test.text, Limit: 8}).Hits); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestTwoLettersAreFoundAnywhereInAWord(t *testing.T) {
	x := open(t, []*customer.Customer{{ID: 1, Name: "삼성전자 주식회사"}, {ID: 2, Name: "トヨタ"}, {ID: 3, Name: "Gazprom Ещё"}}, Options{})
	for text, want := range map[string]string{
		"삼성": "1:prefix", "성전": "1:contains", "전자": "1:contains", "회사": "1:contains", "삼성 전자": "1:prefix",
		"トヨ": "2:prefix", "ヨタ": "2:contains", "om": "3:contains", "ом": "", "ще": "3:contains",
	} {
		if got := show(find(t, x, Query{Text: text}).Hits); got != want {
			t.Errorf("%q finds %q, want %q", text, got, want)
		}
	}
}

func TestAddressesBeyondASCIIAreFoundInAnyCaseAndWidth(t *testing.T) {
	x := open(t, []*customer.Customer{
		{ID: 1, Name: "一", Emails: []customer.Email{{Address: "MÜLLER@Exämple.CH"}}},
		{ID: 2, Name: "二", Website: "https://www.BÜCHER.example/a"},
		{ID: 3, Name: "三", Contacts: []customer.Contact{{Name: "四", Email: "ｗａｎｇ＠ａｃｍｅ．ｃｏｍ"}}},
	}, Options{})
	for text, want := range map[string]string{
		"müller@exämple.ch": "1:exact", "MÜLLER@Exämple.CH": "1:exact", "Mu\u0308ller": "1:other", "@EXÄMPLE": "1:other",
		"bücher.example": "2:other", "Bücher": "2:other",
		"wang@acme.com": "3:exact", "ＷＡＮＧ＠acme.com": "3:exact", "acme.com": "3:other",
	} {
		if got := show(find(t, x, Query{Text: text}).Hits); got != want {
			t.Errorf("%q finds %q, want %q", text, got, want)
		}
	}
}

func TestSearchRefusesWhatItCannotAnswer(t *testing.T) {
	x := open(t, few, Options{})
	for _, q := range []Query{
		{Text: "台\xff"},
		{Text: strings.Repeat("水", MaxTextRunes+1)},
		{Text: strings.Repeat("a 水 ", MaxWords)},
		{Limit: -1},
		{Limit: MaxLimit + 1},
		{After: "nonsense"},
		{Filter: []Condition{{Field: "colour", Values: []string{"red"}}}},
		{Filter: []Condition{{Field: Attribute("level"), Values: []string{"A"}}}},
		{Facets: []Field{"colour"}},
	} {
		var refused *QueryError
		if _, err := x.Search(context.Background(), q); !errors.As(err, &refused) || !errors.Is(err, ErrQuery) {
			t.Errorf("%+v: %v, want a *QueryError", q, err)
		} else if refused.Reason == "" || refused.Remedy == "" || len(refused.Value) > 300 {
			t.Errorf("%+v: %v lacks a reason or a remedy, or is too long", q, err)
		}
	}
}
