package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/customer/exchange/tabular"
	"github.com/clientele-go/clientele/dedupe/compare"
)

const customers = `编号,公司名称,电话,地址,备注
1,台灣水泥股份有限公司,02-2531-7099,台北市中山北路二段113號,
2,台湾水泥股份有限公司,+886 2 2531 7099,臺北市中山北路2段113號,<b>老客户</b>
3,亞洲水泥股份有限公司,02-2733-8000,台北市敦化南路二段207號,
4,上海鑫安机械有限公司,021-61234567,上海市黄浦区人民路16号,
`

func TestGuessesTheSchemaAndFindsTheDuplicate(t *testing.T) {
	dir := t.TempDir()
	in, page, list, kept := filepath.Join(dir, "in.csv"), filepath.Join(dir, "out.html"), filepath.Join(dir, "out.csv"), filepath.Join(dir, "schema.json")
	if err := os.WriteFile(in, []byte(customers), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	c := command{in: in, schema: kept, out: []string{page, list}, limit: 10, country: "TW"}
	if err := c.run(context.Background(), &out); err != nil {
		t.Fatal(err)
	}
	tab, err := readTable(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	s, err := readSchema(kept, tab)
	if err != nil {
		t.Fatal(err)
	}
	for column, want := range map[string]compare.Type{"公司名称": compare.OrganisationName, "电话": compare.Phone, "地址": compare.Address} {
		if s.Fields[column] != want {
			t.Errorf("%s was guessed to be %q, want %q", column, s.Fields[column], want)
		}
	}
	html, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<bdi>1</bdi> ↔ <bdi>2</bdi>", "<mark>灣</mark>", "同一客户"} {
		if !strings.Contains(string(html), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(string(html), "<b>老客户") {
		t.Error("a value stands unescaped on the page")
	}
	rows, err := os.ReadFile(list)
	if err != nil || !strings.HasPrefix(string(rows), "cluster,records,编号") || !strings.Contains(string(rows), "\n1,2,2,") {
		t.Errorf("the list is %s, %v", rows, err)
	}
}

func TestSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	good, folder := file("good.csv", customers), filepath.Join(dir, "folder.csv")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]command{
		"name the file":            {},
		"ends in .html":            {in: good, out: []string{"x.pdf"}},
		"is empty":                 {in: file("empty.csv", ""), out: []string{filepath.Join(dir, "x.csv")}},
		"missing quotation":        {in: file("long.csv", "a,b\n1,2,3\n"), out: []string{filepath.Join(dir, "x.csv")}},
		"is unknown; use":          {in: good, schema: file("type.json", `{"fields":{"电话":"telephone"}}`), out: []string{filepath.Join(dir, "x.csv")}},
		"is not in the file":       {in: good, schema: file("column.json", `{"fields":{"phone":"phone"}}`), out: []string{filepath.Join(dir, "x.csv")}},
		"mode \"marry\"":           {in: good, schema: file("mode.json", `{"mode":"marry","fields":{"电话":"phone"}}`), out: []string{filepath.Join(dir, "x.csv")}},
		"source: column":           {in: good, schema: file("link.json", `{"mode":"link","fields":{"电话":"phone"}}`), out: []string{filepath.Join(dir, "x.csv")}},
		"id: column \"no\"":        {in: good, schema: file("id.json", `{"id":"no","fields":{"电话":"phone"}}`), out: []string{filepath.Join(dir, "x.csv")}},
		"id: row 2 has none":       {in: file("none.csv", "id,name\n1,A\n,B\n"), schema: file("none.json", `{"id":"id","fields":{"name":"name"}}`), out: []string{filepath.Join(dir, "x.csv")}},
		`id: row 2 has "1" as row`: {in: file("twice.csv", "id,name\n1,A\n1,B\n"), schema: file("twice.json", `{"id":"id","fields":{"name":"name"}}`), out: []string{filepath.Join(dir, "x.csv")}},
		"no row below":             {in: file("header.csv", "id,name\n"), out: []string{filepath.Join(dir, "x.csv")}},
		"no such folder":           {in: good, out: []string{filepath.Join(dir, "absent", "x.csv")}},
		"is the file to read":      {in: good, out: []string{good}},
		"x.csv: is named by":       {in: good, schema: filepath.Join(dir, "x.csv"), out: []string{filepath.Join(dir, "x.csv")}},
		"y.csv: is named by":       {in: good, out: []string{filepath.Join(dir, "y.csv"), dir + "/./y.csv"}},
		"-limit -1":                {in: good, limit: -1, out: []string{filepath.Join(dir, "x.csv")}},
		"-country \"China\"":       {in: good, country: "China", out: []string{filepath.Join(dir, "x.csv")}},
		"looks like a record":      {in: file("headless.csv", "1,A,a@example.com\n2,B,b@example.com\n"), out: []string{filepath.Join(dir, "x.csv")}},
		"could not be guessed":     {in: file("letters.csv", "a,b\nx,y\n"), out: []string{filepath.Join(dir, "x.csv")}},
		"is a folder":              {in: good, out: []string{folder}},
		"no such file":             {in: filepath.Join(dir, "absent.csv"), out: []string{filepath.Join(dir, "x.csv")}},
		"something follows":        {in: good, schema: file("two.json", `{"fields":{"电话":"phone"}}}`), out: []string{filepath.Join(dir, "x.csv")}},
		`"fields" is a JSON array`: {in: good, schema: file("array.json", `{"fields":["name"]}`), out: []string{filepath.Join(dir, "x.csv")}},
		"is no schema":             {in: good, schema: file("list.json", `name`), out: []string{filepath.Join(dir, "x.csv")}},
		"row 6, column 2: ":        {in: file("cut.csv", customers+"5,\xe4\xb8,021-1,x,\n"), out: []string{filepath.Join(dir, "x.csv")}},
		"never closed":             {in: file("open.csv", "id,name,city\r\n1,\"A,x\r\n2,B,y\r\n3,C,z\r\n"), out: []string{filepath.Join(dir, "x.csv")}},
	} {
		err := c.check()
		if err == nil {
			err = c.run(context.Background(), &bytes.Buffer{})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error that says %q", err, want)
		}
	}
	if _, err := parse([]string{"-in", good, "-out", "x.csv", "more.csv"}, io.Discard); err == nil || !strings.Contains(err.Error(), `"more.csv"`) {
		t.Errorf("an argument without a flag: %v", err)
	}
}

// What spreadsheet programs in China, Taiwan and Europe save as text, and workbooks, are the
// same table.
func TestReadsWhatSpreadsheetsSave(t *testing.T) {
	dir, want := t.TempDir(), []string{"1 ,台灣水泥,02-2531-7099", "2 ,中國石油,07-5824141"}
	for _, x := range []struct {
		name     string
		format   tabular.Format
		encoding tabular.Encoding
		marked   bool
	}{
		{"utf8.csv", tabular.CSV{}, tabular.UTF8, false}, {"bom.csv", tabular.CSV{}, tabular.UTF8BOM, true},
		{"gb.csv", tabular.CSV{}, tabular.GB18030, true}, {"big5.csv", tabular.CSV{}, tabular.Big5, true},
		{"utf16.txt", tabular.TSV{}, tabular.UTF16LE, true}, {"book.xlsx", tabular.XLSX{}, "", true}, {"lines.jsonl", tabular.JSONLines{}, "", false},
	} {
		var content bytes.Buffer
		w, err := x.format.Create(&content, tabular.WriteOptions{Encoding: x.encoding, Columns: []tabular.Column{{Heading: "id"}, {Heading: "名稱"}, {Heading: "電話"}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range want {
			var cells []tabular.Cell
			for _, text := range strings.Split(row, ",") {
				cells = append(cells, tabular.Cell{Text: text})
			}
			if err := w.Write(cells); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, x.name)
		if err := os.WriteFile(name, content.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := readTable(context.Background(), name)
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		var rows []string
		for _, row := range got.rows {
			rows = append(rows, strings.Join(row, ","))
		}
		if !slices.Equal(got.header, []string{"id", "名稱", "電話"}) || !slices.Equal(rows, want) || got.marked != x.marked {
			t.Errorf("%s: read %q, %q, marked %t", x.name, got.header, rows, got.marked)
		}
	}
}

func TestNumbersOfOneAreSingular(t *testing.T) {
	for n, want := range []string{"0 clusters", "1 cluster", "2 clusters"} {
		if got := number(n, "cluster"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Rows 1 and 3 of the two lists are one, and rows 2 and 4; within a list nothing is joined.
func TestLinksTwoListsOfAnyDelimiter(t *testing.T) {
	for _, mark := range []string{",", ";", "\t"} {
		dir := t.TempDir()
		rows := strings.Join([]string{
			"list,name,email", "old,Anna Adler,anna@adler.example", "old,Bert Bauer,bert@bauer.example",
			"new,ADLER Anna,anna@adler.example", "new,BAUER Bert,bert@bauer.example", "",
		}, "\n")
		in, out := filepath.Join(dir, "in.csv"), filepath.Join(dir, "out.csv")
		schema := filepath.Join(dir, "schema.json")
		for name, text := range map[string]string{in: strings.ReplaceAll(rows, ",", mark), schema: `{"mode":"link","source":"list","fields":{"name":"person.name","email":"email"}}`} {
			if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		c := command{in: in, schema: schema, out: []string{out}, limit: 10, country: "DE"}
		if err := c.run(context.Background(), &bytes.Buffer{}); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"1,2,old,Anna", "1,2,new,ADLER", "2,2,old,Bert", "2,2,new,BAUER"} {
			if !strings.Contains(string(got), "\n"+want) {
				t.Errorf("with %q the list lacks %q:\n%s", mark, want, got)
			}
		}
	}
}

// Columns without a name, and two of one name, are compared under names of their own; what is
// written for spreadsheets has the mark of what was read.
func TestNamesColumnsAndKeepsTheMark(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.csv"), filepath.Join(dir, "out.csv")
	rows := "\xef\xbb\xbfname,phone,phone,\nAnna Adler,030 1234567,,x\nAnna Adler,030 1234567,030 7654321,y\n"
	if err := os.WriteFile(in, []byte(rows), 0o644); err != nil {
		t.Fatal(err)
	}
	c := command{in: in, out: []string{out}, limit: 10, country: "DE"}
	if err := c.run(context.Background(), &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil || !strings.HasPrefix(string(got), "\xef\xbb\xbfcluster,records,name,phone,phone (2),column 4\n1,2,") {
		t.Errorf("wrote %q, %v", got, err)
	}
}

// A megabyte in a field, empty rows and rows of one column are records like others.
func TestTakesRowsOfAnySize(t *testing.T) {
	dir := t.TempDir()
	in, page := filepath.Join(dir, "in.csv"), filepath.Join(dir, "out.html")
	long := strings.Repeat("Acme & Söhne ", 80_000)
	rows := "name\n" + long + "\n\n\"\"\n" + long + "\nAcme GmbH\n"
	if err := os.WriteFile(in, []byte(rows), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	c := command{in: in, out: []string{page}, limit: 10}
	if err := c.run(context.Background(), &out); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(page)
	if err != nil || info.Size() > 100_000 {
		t.Errorf("the page has %d bytes, %v", info.Size(), err)
	}
}

// A column of ids in which one repeats, though late in the file, names no rows.
func TestRepeatedIDsAreNone(t *testing.T) {
	tab := &table{header: []string{"id", "name"}}
	for i := range 2 * sampled {
		tab.rows = append(tab.rows, []string{fmt.Sprint(i), "Acme Ltd"})
	}
	if s := guess(tab); s.ID != "id" {
		t.Errorf("the ids are %q", s.ID)
	}
	tab.rows[2*sampled-1][0] = "7"
	if s := guess(tab); s.ID != "" {
		t.Errorf("the ids are %q, one of them twice", s.ID)
	}
}

func TestGuessesHeadersOfManyKinds(t *testing.T) {
	for header, want := range map[string]compare.Type{
		"法人": compare.PersonName, "統一編號": compare.Identifier, "邮政编码": compare.AddressPostcode, "银行账号": compare.Identifier, "县区": compare.AddressCity,
		"合同编号": "", "created_at": "", "更新时间": "", "Straße": compare.Address, "PLZ": compare.AddressPostcode, "Vorname": compare.PersonGiven,
	} {
		if got := guessColumn(header, []string{"12"}); got != want {
			t.Errorf("%s was guessed to be %q, want %q", header, got, want)
		}
	}
	for header, want := range map[string]bool{"客户编号": true, "編號": true, "user_id": true, "統一編號": false, "证件编号": false} {
		if got := idHeader.MatchString(header); got != want {
			t.Errorf("%s is an id: %t, want %t", header, got, want)
		}
	}
}
