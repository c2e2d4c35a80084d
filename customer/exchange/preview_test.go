package exchange_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer/exchange"
)

func (b *book) preview(im exchange.Import) *exchange.Preview {
	b.t.Helper()
	p, err := b.session().Preview(b.t.Context(), im)
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

// A list as people keep them: 91310000132260250X is the code of SAIC Motor, with a last Z no
// code at all; rows 3 and 9 are the same company, 4 and 5 the same person.
const untidy = "客户编码,客户名称,客户类型,统一社会信用代码,联系电话,邮箱,备注\n" +
	"C1, 上海汽车集团股份有限公司,单位,9131 0000 1322 6025 0X,(021)22011138,,\n" +
	"C2,台灣水泥股份有限公司,单位,,021-22011139,info@tcc.com,\n" +
	"C3,王力,个人,,13812345678,,\n" +
	"c4,王力,个人,,+86 138 1234 5678,,\n" +
	"C4,王力,个人,,13900001234,,\n" +
	"C6,测试客户1,,,,,\n" +
	",,,,,,\n" +
	"C8,台湾水泥股份有限公司,单位,91310000132260250Z,,,\n" +
	"C9,测试设备有限公司,,,12345678,,\n" +
	",,,,,,x\n"

func TestPreviewOfAnUntidyList(t *testing.T) {
	b := newBook(t)
	m := &exchange.Mapping{HeaderRow: 1, HeaderRows: 1}
	for i, f := range []exchange.Field{"code", "name", "party", "identifier.cn.uscc", "phone", "email"} {
		m.Columns = append(m.Columns, exchange.Column{Column: i + 1, Field: f, Heading: strings.Split(untidy, ",")[i]})
	}
	refused := 0
	p := b.preview(exchange.Import{File: file("a.csv", untidy), Mapping: m, Faults: func(exchange.Fault) { refused++ }})
	if p.Rows != 9 || p.Faulty != 2 || refused != 2 { // the number of row 9, and row 11 without a name
		t.Errorf("%d rows, %d faulty, %d faults", p.Rows, p.Faulty, refused)
	}
	want := []exchange.Change{{2, " 上海汽车集团股份有限公司", "上海汽车集团股份有限公司"}}
	if got := p.Columns[1]; got.Filled != 8 || got.Changed != 1 || !slices.Equal(got.Samples, want) {
		t.Errorf("names: %+v", got)
	}
	want = []exchange.Change{{2, "9131 0000 1322 6025 0X", "91310000132260250X"}}
	if got := p.Columns[3]; got.Filled != 2 || got.Changed != 1 || got.Faulty != 1 || !slices.Equal(got.Samples, want) {
		t.Errorf("codes: %+v", got)
	}
	if got := p.Columns[4]; got.Filled != 6 || got.Changed != 5 || got.Samples[0] != (exchange.Change{Row: 2, Before: "(021)22011138", After: "+862122011138"}) {
		t.Errorf("phones: %+v", got)
	}
	if got := p.Columns[5]; got.Filled != 1 || got.Changed != 0 {
		t.Errorf("e-mails: %+v", got)
	}
	if got, want := shownRepeats(p), "name [3 9] phone [4 5] code [5 6] of 3, 3 rows"; got != want {
		t.Errorf("repeats: %s, want %s", got, want)
	}
	for what, c := range map[string]struct {
		found exchange.Findings
		rows  []int
	}{"invalid": {p.Invalid, []int{9}}, "unfit": {p.Unfit, []int{11}}, "empty": {p.Empty, []int{8, 11}}, "tests": {p.Tests, []int{7, 10}}} {
		var rows []int
		for _, f := range c.found.Samples {
			rows = append(rows, f.Row)
		}
		if !slices.Equal(rows, c.rows) || c.found.Count != len(c.rows) {
			t.Errorf("%s: %d, %v, want %v", what, c.found.Count, rows, c.rows)
		}
	}
	if f := p.Invalid.Samples[0]; f.Column != 4 || f.Remedy == "" || f.Value != "91310000132260250Z" {
		t.Errorf("%+v", f)
	}
	if len(b.all()) > 0 {
		t.Error("a preview wrote customers")
	}
}

func shownRepeats(p *exchange.Preview) string {
	var s strings.Builder
	for _, g := range p.Repeats.Samples {
		fmt.Fprintf(&s, "%s %v ", g.By, g.Rows)
	}
	fmt.Fprintf(&s, "of %d, %d rows", p.Repeats.Groups, p.Repeats.Rows)
	return s.String()
}

func TestPreviewIsTold(t *testing.T) {
	b := newBook(t)
	p := b.preview(exchange.Import{File: file("a.csv", untidy)})
	for tag, want := range map[language.Tag][]string{
		language.Chinese: {
			"共9行，其中2行有不合规的值。\n", "第2列（客户名称），name：有值8个，规范化1个，不合规", "    第2行：“ 上海汽车集团股份有限公司”→“上海汽车集团股份有限公司”\n", "3行与前面的行重复，共3组：\n",
			"  第3, 9行的客户名称相同：“台灣水泥股份有限公司”\n", "  第4, 5行名称相近且电话相同：“王力”\n", "1个证照号码无效：\n  第9行第4列（统一社会信用代码）：格式不正确：“91310000132260250Z”；请与证照原件核对",
			"2条疑似测试数据：\n  第7行第2列（客户名称）：疑似测试数据：“测试客户1”；若确为测试数据，请去掉此行\n",
		},
		language.English: {
			"Rows: 9, with values that are not in order: 2\n", "column 5 (联系电话), phone: 6 filled, 5 normalised, 0 not in order\n", "Rows that repeat earlier ones: 3, in 3 groups\n",
			"  rows 4, 5 have the same phone and like names: \"王力\"\n", "Not valid as identifiers: 1\n", "  row 7, column 2 (客户名称): looks like a test: \"测试客户1\"; leave the row out if it is one\n",
		},
	} {
		got := p.In(tag)
		for _, part := range want {
			if !strings.Contains(got, part) {
				t.Errorf("%s lacks %q:\n%s", tag, part, got)
			}
		}
	}
}

// Only what nobody is called looks like a test: companies are called Test Rite and
// 测试设备有限公司.
func TestRecordsThatLookLikeTests(t *testing.T) {
	b := newBook(t)
	for content, want := range map[string]int{
		"name\n测试\nTEST-01\n测试客户\nTest Ltd.\nasdf\n张三\n111111\nａｓｄｆ\ndemo company\nxx有限公司\n":              10,
		"name\nTest Rite International\n测试设备有限公司\n王三\n3M\n999医药\nAAA\n七匹狼\n张三丰\nDemogorgon\n上海检测试验有限公司\n": 0,
		"name,phone,email\n甲,13800138000,\n乙,12345678,\n丙,1111111,\n丁,,a@example.com\n戊,,test1@acme.cn\n": 5,
		"name,phone,email\n甲,13812345678,info@examples.com\n乙,021-22011138,contest@acme.cn\n":             0,
	} {
		if p := b.preview(exchange.Import{File: file("a.csv", content)}); p.Tests.Count != want {
			t.Errorf("%q: %d, want %d: %v", content, p.Tests.Count, want, p.Tests.Samples)
		}
	}
}

// Of one name, identifiers that contradict one another tell customers apart; a row
// without any joins one of them.
func TestRepeatsAreNotContradicted(t *testing.T) {
	b := newBook(t)
	content := "name,uscc\n甲有限公司,91310000132260250X\n甲有限公司,91110000710926094P\n甲有限公司,\n甲有限公司,91310000132260250X\n"
	p := b.preview(exchange.Import{File: file("a.csv", content)})
	// 91110000710926094P is the lesser of the two numbers, and its group takes row 4.
	if got, want := shownRepeats(p), "identifier.cn.uscc [2 5] name [2 5] name [3 4] of 3, 2 rows"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// The counts of a preview are of all rows, its samples few.
func TestPreviewOfManyRepeats(t *testing.T) {
	b := newBook(t)
	var content strings.Builder
	content.WriteString("code,name\n")
	const rows = 20000
	for i := range rows { // each code twice, each name 200 times
		fmt.Fprintf(&content, "K%d,第%d有限公司\n", i%(rows/2), i%100)
	}
	p := b.preview(exchange.Import{File: file("a.csv", content.String())})
	// Rows 2 to 101 bring the names, so that all behind repeat one of them.
	if p.Rows != rows || p.Repeats.Rows != rows-100 || p.Repeats.Groups != rows/2+100 || len(p.Repeats.Samples) != 100 || len(p.Repeats.Samples[1].Rows) != 20 {
		t.Errorf("%d rows, %d repeat in %d groups, %+v", p.Rows, p.Repeats.Rows, p.Repeats.Groups, p.Repeats.Samples[:2])
	}
}

// What doesn't fit into memory is found all the same.
func TestRepeatsBeyondMemory(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	all, err := exchange.FindRepeats(t.Context(), 1<<30, 5000, 70)
	if err != nil {
		t.Fatal(err)
	}
	spilt, err := exchange.FindRepeats(t.Context(), 16<<10, 5000, 70)
	if err != nil || !reflect.DeepEqual(spilt, all) || all.Groups != 70 || all.Rows != 4930 {
		t.Errorf("%v: %+v", err, spilt)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%d temporary files are left, %v", len(left), err)
	}
}

func TestPreviewOfReceivables(t *testing.T) {
	b := newBook(t)
	p := b.preview(exchange.Import{Subject: exchange.Scores, File: file("a.csv", "code,provider,score,date\nC1,dnb,80,2026-01-05\nC2,dnb,many,2026-01-05\n,,,\n")})
	if p.Rows != 2 || p.Faulty != 1 || p.Empty.Count != 1 || p.Columns[2].Faulty != 1 || p.Repeats.Groups != 0 {
		t.Errorf("%+v", p)
	}
}

func TestPreviewStopsWhenAsked(t *testing.T) {
	b := newBook(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.session().Preview(ctx, exchange.Import{File: file("a.csv", untidy)}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// What previews show of a number of a person is how many there are.
func TestPreviewShowsNoNumbersOfPeople(t *testing.T) {
	p := newBook(t).preview(exchange.Import{File: file("a.csv", "name,party,身份证号,email\n王力,个人,110105 19491231 002X,x\n王芳,个人,11010519491231002X,a@b.cn\n")})
	if c := p.Columns[2]; c.Changed != 1 || len(c.Samples) > 0 {
		t.Errorf("%+v", c)
	}
	for _, tag := range []language.Tag{language.English, language.Chinese} {
		if text := p.In(tag); strings.Contains(text, "002X") {
			t.Error(text)
		}
	}
}
