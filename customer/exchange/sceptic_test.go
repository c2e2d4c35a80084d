package exchange_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
)

// codes lists the faults as row, column and code.
func codes(faults []exchange.Fault) (list []string) {
	for _, f := range faults {
		list = append(list, fmt.Sprintf("%d/%d %s", f.Row, f.Column, f.Code))
	}
	return list
}

// Who mends the file of refused rows and imports it by what is guessed of its headings gets
// them in: the column that says what was wrong, with its example of an address, is no e-mail.
func TestMendedRejectsAreImportedByTheirHeadings(t *testing.T) {
	b := newBook(t)
	f := file("a.csv", "code,name,email\nK1,One Ltd,not-mail\nK2,Two Ltd,nor this\nK3,Three Ltd,c@three.cn\n")
	p, faults := b.imported(exchange.Import{File: f})
	// "nor this" is two addresses, of which neither is one: it is told once.
	if got, want := codes(faults), []string{"2/3 malformed", "3/3 malformed"}; !slices.Equal(got, want) {
		t.Errorf("faults %v, want %v", got, want)
	}
	for _, tag := range []language.Tag{language.English, language.Chinese} {
		var out bytes.Buffer
		if n, err := b.session().Rejects(t.Context(), p.Job, f, &out, tag); n != 2 || err != nil {
			t.Fatal(n, err)
		}
		in, err := b.session().Inspect(t.Context(), bytesFile("bad.csv", out.Bytes()), tabular.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if c := in.Mapping.Columns[3]; c.Field != "" {
			t.Errorf("the column of errors is taken for %s", c.Field)
		}
		mended := strings.ReplaceAll(strings.ReplaceAll(out.String(), "not-mail", "a@one.cn"), "nor this", "b@two.cn")
		last, faults := b.imported(exchange.Import{File: file("bad.csv", mended)})
		if last.Summary.Refused != 0 {
			t.Errorf("%+v, %v", last.Summary, faults)
		}
	}
}

// A list whose every row is over a limit isn't empty.
func TestInspectSaysWhyNoRowCanBeRead(t *testing.T) {
	wide := strings.Repeat("c,", 16384) + "c\n"
	_, err := newBook(t).session().Inspect(t.Context(), file("a.csv", wide+wide), tabular.Options{})
	var bad *tabular.Error
	if !errors.As(err, &bad) || bad.Code != tabular.TooManyCells || !errors.Is(err, tabular.ErrLimit) {
		t.Errorf("error is %v", err)
	}
}

// A few wrong bytes in a file of UTF-8 have the rows that they are in refused, and not all
// its Chinese taken for another encoding.
func TestAFewWrongBytesInUTF8(t *testing.T) {
	var text bytes.Buffer
	text.WriteString("编码,名称\n")
	for i := range 50 {
		fmt.Fprintf(&text, "K%d,上海第%d百货有限公司\n", i, i)
	}
	text.WriteString("K50,截断\xe5\x85的公司\n")
	p, faults := newBook(t).imported(exchange.Import{File: bytesFile("a.csv", text.Bytes())})
	if p.Summary.Created != 50 || !slices.Equal(codes(faults), []string{"52/2 garbled"}) {
		t.Errorf("%+v, %v", p.Summary, faults)
	}
}

// What a spreadsheet rounded before it wrote a text file is told, wherever it would be
// stored; codes that only look like it, and names, are taken as they are.
func TestRoundedNumbersInTextFiles(t *testing.T) {
	const list = "code,name,phone,身份证号,note\n" +
		"1.23E+17,科学有限公司,,,\n" + // 123456789012345678
		"K2,王力,1.38E+10,,\n" +
		"K3,王芳,,1.10105E+17,\n" +
		"1E5,1.5E+10,021-22011138,11010519491231002X,1.5E+10 of it\n"
	p, faults := newBook(t).imported(exchange.Import{File: file("a.csv", list)})
	if want := []string{"2/1 inexact", "3/3 inexact", "4/4 inexact"}; p.Summary.Created != 1 || !slices.Equal(codes(faults), want) {
		t.Errorf("%+v, %v, want %v", p.Summary, codes(faults), want)
	}
}

// Exports of accounting programs end in a row of totals.
func TestTotalsAreNoCustomers(t *testing.T) {
	const list = "编码,单位名称,电话\n1001,上海汽车集团股份有限公司,\n1002,Total,\n合计,2,\n,小计：,\n1003,合计科技有限公司,\n"
	b := newBook(t)
	p, faults := b.imported(exchange.Import{File: file("a.csv", list)})
	if want := []string{"4/1 total", "5/2 total"}; p.Summary.Created != 3 || !slices.Equal(codes(faults), want) {
		t.Errorf("%+v, %v, want %v", p.Summary, codes(faults), want)
	}
	if got, want := faults[0].In(language.Chinese), "第4行第1列（编码）：是合计行，不是客户：“合计”；请去掉此行"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// A name that is missing is missing in the column of names, and a digit is nobody's number.
func TestSmallThingsInObjects(t *testing.T) {
	b := newBook(t)
	f := file("a.jsonl", `{"code":"J1","name":"杰森有限公司","extra":{"a":1}}`+"\n"+`{"code":"J2"}`+"\n")
	in, err := b.session().Inspect(t.Context(), f, tabular.Options{})
	if err != nil || in.Mapping.Columns[2].Field != "" {
		t.Errorf("%+v, %v", in, err)
	}
	_, faults := b.imported(exchange.Import{File: f})
	if want := []string{"3/2 required"}; !slices.Equal(codes(faults), want) {
		t.Errorf("%v, want %v", codes(faults), want)
	}
}

// Rows of spaces are as good as none.
func TestRowsOfSpaces(t *testing.T) {
	b := newBook(t)
	p, faults := b.imported(exchange.Import{File: file("a.csv", "name,phone\nOne Ltd,\n  ,\u3000\n\t,\nTwo Ltd, \n")})
	if want := (exchange.Summary{Read: 2, Created: 2}); p.Summary != want {
		t.Errorf("%+v, %v, want %+v", p.Summary, faults, want)
	}
	_, err := b.session().Inspect(t.Context(), file("a.csv", "\n  \n\n"), tabular.Options{})
	var bad *tabular.Error
	if !errors.As(err, &bad) || bad.Code != tabular.Empty {
		t.Errorf("a file of spaces: %v", err)
	}
}
