package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
	tab, err := readTable(in)
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
	good := file("good.csv", customers)
	for want, c := range map[string]command{
		"name a CSV file":          {},
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
		"could not be guessed":     {in: file("header.csv", "id,name\n"), out: []string{filepath.Join(dir, "x.csv")}},
		"no such folder":           {in: good, out: []string{filepath.Join(dir, "absent", "x.csv")}},
		"is the file to read":      {in: good, out: []string{good}},
		"-limit -1":                {in: good, limit: -1, out: []string{filepath.Join(dir, "x.csv")}},
		"-country \"China\"":       {in: good, country: "China", out: []string{filepath.Join(dir, "x.csv")}},
		"looks like a record":      {in: file("headless.csv", "1,A,a@example.com\n2,B,b@example.com\n"), out: []string{filepath.Join(dir, "x.csv")}},
		"neither UTF-8":            {in: file("wide.csv", "\xff\xfei\x00d\x00\n\x001\x00"), out: []string{filepath.Join(dir, "x.csv")}},
		"runs to the end":          {in: file("open.csv", "id,name,city\r\n1,\"A,x\r\n2,B,y\r\n3,C,z\r\n"), out: []string{filepath.Join(dir, "x.csv")}},
	} {
		if err := c.run(context.Background(), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error that says %q", err, want)
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
