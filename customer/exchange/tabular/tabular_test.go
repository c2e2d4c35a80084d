package tabular_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/clientele-go/clientele/customer/exchange/tabular"
)

func file(name, content string) *tabular.File {
	return &tabular.File{Name: name, Content: strings.NewReader(content), Size: int64(len(content))}
}

// rowsOf reads a file as recognised: each row as its number and cells.
func rowsOf(t testing.TB, f *tabular.File, o tabular.Options) []string {
	t.Helper()
	rows, err := read(t.Context(), f, o)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func read(ctx context.Context, f *tabular.File, o tabular.Options) ([]string, error) {
	format, err := tabular.Find(f)
	if err != nil {
		return nil, err
	}
	shape, err := format.Inspect(ctx, f, o)
	if err != nil {
		return nil, err
	}
	recognised := shape.Options()
	recognised.Limits = o.Limits
	var rows []string
	for row, err := range format.Read(ctx, f, recognised) {
		if err != nil {
			return rows, err
		}
		rows = append(rows, show(row))
	}
	return rows, nil
}

func show(row *tabular.Row) string {
	var b strings.Builder
	fmt.Fprint(&b, row.Number)
	for _, c := range row.Cells {
		fmt.Fprintf(&b, "|%s", c.Text)
		if c.Kind != tabular.Text {
			fmt.Fprintf(&b, "<%d>", c.Kind)
		}
	}
	if row.Err != nil {
		fmt.Fprintf(&b, "!%s", row.Err.Code)
	}
	return b.String()
}

func TestDelimitedRows(t *testing.T) {
	for _, test := range []struct {
		name, content string
		want          []string
	}{
		{"plain", "a,b\n1,2\n", []string{"1|a|b", "2|1|2"}},
		{"no end of the last line", "a,b\n1,2", []string{"1|a|b", "2|1|2"}},
		{"line ends of all kinds", "a,b\r\n1,2\r3,4\n5,6\r", []string{"1|a|b", "2|1|2", "3|3|4", "4|5|6"}},
		{"quoted, with a comma, a doubled mark and a line end", "a,b\n\"x,\"\"y\"\"\nz\",2\n3,4\n", []string{"1|a|b", "2|x,\"y\"\nz|2", "3|3|4"}},
		{"empty cells", "a,,c\n,,\n", []string{"1|a||c", "2|||"}},
		{"blank row", "a,b\n\n1,2\n", []string{"1|a|b", "2", "3|1|2"}},
		{"mark within an unquoted cell", "a,b\n5\" pipe,2\n", []string{"1|a|b", "2|5\" pipe|2"}},
		{"text after the closing mark", "a,b\n\"x\"y,2\n", []string{"1|a|b", "2|\"x\"y|2"}},
		{"semicolons", "a;b\n1,5;2\n", []string{"1|a|b", "2|1,5|2"}},
		{"tabs", "a\tb\n1,5\t2\n", []string{"1|a|b", "2|1,5|2"}},
		{"full-width comma", "客户，电话\n台泥，1\n", []string{"1|客户|电话", "2|台泥|1"}},
		{"the delimiter in the first line", "sep=;\na;b\n1,5;2\n", []string{"1|a|b", "2|1,5|2"}},
		{"byte order mark", "\uFEFFa,b\n1,2\n", []string{"1|a|b", "2|1|2"}},
		{"unclosed mark costs its row", "a,b\n\"x,2\n3,4\n5,6\n", []string{"1|a|b", "2!open_quote", "3|3|4", "4|5|6"}},
		{"no UTF-8", "a,b\n1,2\n\xE5\x8F\xB0\xFF,x\xE5\n3,4\n" + strings.Repeat("台湾水泥,1\n", 3),
			[]string{"1|a|b", "2|1|2", "3|台\uFFFD<7>|x\uFFFD<7>", "4|3|4", "5|台湾水泥|1", "6|台湾水泥|1", "7|台湾水泥|1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var o tabular.Options
			if test.name == "no UTF-8" {
				o.Encoding = tabular.UTF8 // asked for: the bytes are no other encoding's either
			}
			if got := rowsOf(t, file("x.csv", test.content), o); !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestLinesAreThoseOfTheFile(t *testing.T) {
	var lines []int
	for row, err := range (tabular.CSV{}).Read(t.Context(), file("x.csv", "a,b\n\"1\n2\r\n3\",x\ny,z\r\"\r\",1\nend,1"), tabular.Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, row.Line)
	}
	if want := []int{1, 2, 5, 6, 8}; !slices.Equal(lines, want) {
		t.Errorf("rows begin at lines %d, want %d", lines, want)
	}
}

// The same rows whatever the size of the pieces that the file is read in: a long first
// cell moves all that follows across the bounds of pieces.
func TestRowsAcrossPieces(t *testing.T) {
	for pad := 65520; pad < 65545; pad++ {
		first := strings.Repeat("x", pad)
		content := first + ",b\r\n\"q\"\"q\",\"\r\n\"\r\n\"\",端\r\nlast,1\r\n"
		want := []string{"1|" + first + "|b", "2|q\"q|\r\n", "3||端", "4|last|1"}
		if got := rowsOf(t, file("x.csv", content), tabular.Options{Delimiter: ','}); !slices.Equal(got, want) {
			t.Fatalf("first cell of %d bytes: %.200q", pad, got)
		}
	}
}

func TestLimits(t *testing.T) {
	long := strings.Repeat("y", 300_000)
	o := tabular.Options{Delimiter: ',', Limits: tabular.Limits{RowBytes: 100_000, Columns: 3}}
	for _, test := range []struct {
		name, content string
		want          []string
	}{
		{"long row", "a,b\n1," + long + "\r\n3,4\n", []string{"1|a|b", "2!row_too_large", "3|3|4"}},
		{"open mark before much text", "a,b\n\"1,2\n" + strings.Repeat("5,6\n", 100_000), nil},
		{"many cells", "1,2,3,4\n5,6,7\n", []string{"1|1|2|3!too_many_cells", "2|5|6|7"}},
	} {
		got := rowsOf(t, file("x.csv", test.content), o)
		if test.want != nil && !slices.Equal(got, test.want) {
			t.Errorf("%s: %.300q, want %q", test.name, got, test.want)
		}
		if test.want == nil && (len(got) != 100_002 || got[1] != "2!open_quote" || got[2] != "3|5|6") {
			t.Errorf("%s: %d rows, %.100q", test.name, len(got), got)
		}
	}
}

func TestEncodingsAreRecognised(t *testing.T) {
	simplified := "客户名称,联系电话,地址\n上海汽车集团股份有限公司,021-22011138,上海市静安区威海路489号\n中国石油化工股份有限公司,010-59960028,北京市朝阳区朝阳门北大街22号\n"
	traditional := "客戶名稱,電話,地址\n台灣水泥股份有限公司,02-25311666,臺北市中山北路二段113號\n國泰金融控股股份有限公司,02-27087698,臺北市仁愛路四段296號\n"
	for _, test := range []struct {
		text  string
		codec encoding.Encoding
		want  tabular.Encoding
	}{
		{simplified, encoding.Nop, tabular.UTF8},
		{simplified, simplifiedchinese.GBK, tabular.GB18030},
		{simplified + "㐀𠀀\n", simplifiedchinese.GB18030, tabular.GB18030},
		{traditional, simplifiedchinese.GBK, tabular.GB18030},
		{traditional, traditionalchinese.Big5, tabular.Big5},
		{simplified, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), tabular.UTF16LE},
		{simplified, unicode.UTF16(unicode.BigEndian, unicode.UseBOM), tabular.UTF16BE},
		{simplified, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), tabular.UTF16LE},
		{simplified, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), tabular.UTF16BE},
		{"\uFEFF" + simplified, encoding.Nop, tabular.UTF8BOM},
		{"name,phone\nAcme,1\n", encoding.Nop, tabular.UTF8},
	} {
		content, err := test.codec.NewEncoder().String(test.text)
		if err != nil {
			t.Fatal(err)
		}
		f := file("x.csv", content)
		shape, err := (tabular.CSV{}).Inspect(t.Context(), f, tabular.Options{})
		if err != nil || shape.Encoding != test.want || shape.Delimiter != ',' {
			t.Errorf("%.12q in %v: recognised %v, %v; want %s", test.text, test.codec, shape, err, test.want)
			continue
		}
		var got []string
		for row, err := range (tabular.CSV{}).Read(t.Context(), f, shape.Options()) {
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range row.Cells {
				got = append(got, c.Text)
			}
		}
		want := strings.FieldsFunc(strings.TrimPrefix(test.text, "\uFEFF"), func(r rune) bool { return r == ',' || r == '\n' })
		if !slices.Equal(got, want) {
			t.Errorf("%s: read %q", test.want, got)
		}
	}
	latin := "name,city\nSoci\xE9t\xE9 G\xE9n\xE9rale,Paris\nM\xFCller,K\xF6ln\n"
	if got := tabular.Recognise([]byte(latin), true); got != tabular.Windows1252 {
		t.Errorf("Western European text: recognised %s", got)
	}
	// A zero byte that some program left in a cell doesn't make UTF-16 of UTF-8, however short.
	for text, want := range map[string]tabular.Encoding{
		simplified + "甲\x00公司,1,\n":                  tabular.UTF8,
		"name,city\nAcme Ltd,Par\x00is\n":            tabular.UTF8,
		"n\x00a\x00m\x00e\x00\n\x00":                 tabular.UTF16LE,
		"\x00n\x00a\x00m\x00e\x00\n\x00A\x00B\x00\n": tabular.UTF16BE,
	} {
		if got := tabular.Recognise([]byte(text), true); got != want {
			t.Errorf("%q: recognised %s; want %s", text, got, want)
		}
	}

}

func TestJSONLines(t *testing.T) {
	content := `{"code":"C1","name":"台泥","limit":1200.50,"vip":true,"address":{"city":"臺北","zip":"104"},"phones":["1","2"],"note":null}` + "\n\n" +
		`{"code":"C2","name":"a` + `","limit":12345678901234567890}` + "\n" + `{"code":` + "\n" + `{"code":"C3","unheard":1}` + "\n" + `{"code":"C4"} {"code":"C5"}` + "\n"
	content += strings.Repeat(`{"code":"C"}`+"\n", 1000) + `{"late":1}` + "\n"
	got := rowsOf(t, file("x.jsonl", content), tabular.Options{})
	want := []string{
		"1|code|name|limit|vip|address.city|address.zip|phones|note|unheard",
		`2|C1|台泥|1200.50<1>|true<3>|臺北|104|["1","2"]<5>||`,
		"3|C2|a|12345678901234567890<1>||||||", "4|||||||||!bad_json", "5|C3||||||||1<1>", "6|C4||||||||!bad_json",
	}
	if !slices.Equal(got[:6], want) {
		t.Errorf("got  %q\nwant %q", got[:6], want)
	}
	if last := got[len(got)-1]; !strings.HasSuffix(last, "!unknown_key") {
		t.Errorf("a key after the first thousand objects: %q", last)
	}
	for row, err := range (tabular.JSONLines{}).Read(t.Context(), file("x.jsonl", `{"code":`), tabular.Options{}) {
		if err != nil || row.Err != nil && !strings.HasSuffix(row.Err.Error(), "one JSON object: the line ends before the object does") {
			t.Errorf("an object that is cut off: %v, %v", row.Err, err)
		}
	}
	if f, err := tabular.Find(file("x.json", "{\n  \"code\": 1\n}\n")); err != nil || f.Name() != "jsonl" {
		t.Errorf("an object of several lines: %v, %v", f, err)
	}
}

func TestAnErrorOfNoFileNamesNone(t *testing.T) {
	if _, err := tabular.ParseEncoding("xx"); err == nil || !strings.HasPrefix(err.Error(), "tabular: not characters of the encoding: ") {
		t.Errorf("an unknown encoding: %v", err)
	}
}

func TestWhatIsNoTable(t *testing.T) {
	for content, code := range map[string]tabular.Code{
		"": tabular.Empty, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1....": tabular.Foreign, "%PDF-1.7": tabular.Foreign,
		"\x1F\x8B\x08": tabular.Foreign, "<html><table>": tabular.Foreign, `[{"name":"A"},{"name":"B"}]`: tabular.Foreign, "\uFEFF[\n {": tabular.Foreign, "PK\x03\x04 broken": tabular.Damaged,
		"\x00\x01\x02\x03\x04\x05\x06\x07\x08": tabular.Unrecognised,
	} {
		_, err := read(t.Context(), file("x.xls", content), tabular.Options{})
		var e *tabular.Error
		if !errors.As(err, &e) || e.Code != code || !errors.Is(err, tabular.ErrFormat) {
			t.Errorf("%q: %v, want code %s", content, err, code)
		}
	}
}

func TestEscapeComesBack(t *testing.T) {
	for text, escaped := range map[string]string{
		"=1+1": "'=1+1", "+86 21": "'+86 21", "-5": "'-5", "@x": "'@x", "＝A1": "'＝A1", "'=1": "''=1", "''@": "'''@",
		"plain": "plain", "'quoted'": "'quoted'", "": "", "'": "'", "a=1": "a=1", "\tx": "'\tx",
	} {
		if got := tabular.Escape(text); got != escaped {
			t.Errorf("Escape(%q) = %q, want %q", text, got, escaped)
		}
		if got := tabular.Unescape(escaped); got != text {
			t.Errorf("Unescape(%q) = %q, want %q", escaped, got, text)
		}
	}
}

func TestUnencodableIsRefused(t *testing.T) {
	var out bytes.Buffer
	w, err := (tabular.CSV{}).Create(&out, tabular.WriteOptions{Encoding: tabular.Big5})
	if err != nil {
		t.Fatal(err)
	}
	err = w.Write([]tabular.Cell{{Text: "台灣"}, {Text: "简体"}})
	var e *tabular.Error
	if !errors.As(err, &e) || e.Code != tabular.Unencodable || e.Column != 2 || !errors.Is(err, tabular.ErrEncoding) {
		t.Errorf("simplified characters in Big5: %v", err)
	}
}

func FuzzDelimited(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2\n", "\"a\"\"\r\n\",b\r\rx", "sep=;\n\"", "\xEF\xBB\xBFa;b", "a\tb\n\xFF\xFE"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		if content == "" {
			return
		}
		previous := 0
		for row, err := range (tabular.CSV{}).Read(t.Context(), file("x.csv", content), tabular.Options{Delimiter: ',', Encoding: tabular.UTF8, Limits: tabular.Limits{RowBytes: 50, Columns: 5}}) {
			if err != nil {
				t.Fatal(err)
			}
			if row.Number != previous+1 || len(row.Cells) > 5 {
				t.Fatalf("row %d after %d with %d cells", row.Number, previous, len(row.Cells))
			}
			previous = row.Number
		}
	})
}

// What is written is read again.
func FuzzWriteDelimited(f *testing.F) {
	f.Add("a", "=1", "x\"y\n")
	f.Add("", "", "")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		texts := []string{a, b, c, "end"}
		for _, s := range texts {
			if strings.ToValidUTF8(s, "") != s || strings.ContainsAny(s, "\uFEFF\uFFFD") {
				return
			}
		}
		var out bytes.Buffer
		w, err := (tabular.CSV{}).Create(&out, tabular.WriteOptions{})
		if err == nil {
			err = w.Write([]tabular.Cell{{Text: a}, {Text: b}, {Text: c}, {Text: "end"}})
		}
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		for row, err := range (tabular.CSV{}).Read(t.Context(), file("x.csv", out.String()), tabular.Options{Delimiter: ',', Encoding: tabular.UTF8}) {
			if err != nil || len(row.Cells) != 4 {
				t.Fatalf("%q: %v, %d cells", out.String(), err, len(row.Cells))
			}
			for i, cell := range row.Cells {
				if got := tabular.Unescape(cell.Text); got != texts[i] {
					t.Fatalf("cell %d: wrote %q, read %q", i, texts[i], got)
				}
			}
		}
	})
}
