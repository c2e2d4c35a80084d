package exchange_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer/exchange"
)

// Every remedy that the sources of the rules give is in the Chinese list, so that a new
// one can't be forgotten. What a remedy is put together of is taken as far as it is
// written there, with a number for what varies.
func TestEveryRemedyIsInChinese(t *testing.T) {
	found := 0
	for _, pattern := range []string{"*.go", "../normalise.go", "../loadcode.go", "../identifier/*.go", "../../exchange.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatal(pattern, err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			for _, remedy := range remediesIn(t, name) {
				found++
				if zh, ok := exchange.ChineseRemedy(remedy); !ok || strings.Contains(zh, "*") {
					t.Errorf("%s: %q isn't in Chinese: %q", name, remedy, zh)
				}
			}
		}
	}
	if found < 60 {
		t.Errorf("only %d remedies were found: the test no longer reads the sources", found)
	}
}

// remediesIn returns the remedies that a source file writes: values of a field Remedy or
// form, the last argument of bad and add, and the second of a fault.
func remediesIn(t *testing.T, name string) (list []string) {
	t.Helper()
	source, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	take := func(e ast.Expr) {
		if text, ok := written(e); ok && text != "" {
			list = append(list, text)
		}
	}
	ast.Inspect(source, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && (key.Name == "Remedy" || key.Name == "remedy" || key.Name == "form") {
				take(n.Value)
			}
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && (s.Sel.Name == "bad" && len(n.Args) == 4 || s.Sel.Name == "add" && len(n.Args) == 5) {
				take(n.Args[len(n.Args)-1])
			}
		case *ast.CompositeLit:
			if of, ok := n.Type.(*ast.Ident); ok && of.Name == "fault" && len(n.Elts) == 2 {
				take(n.Elts[1])
			}
		}
		return true
	})
	// The types of attributes are listed one by one, the national forms of VAT numbers are
	// covered by the code. The others are of schemes of an embedder, never of a row.
	return deleteAll(list, "give a 7", "give 7 and 7", "give the added one another name", "give it a function that returns a number's canonical form", "use the two letters of ISO 3166-1, or none")
}

func deleteAll(list []string, of ...string) (kept []string) {
	for _, s := range list {
		if !strings.Contains("\n"+strings.Join(of, "\n")+"\n", "\n"+s+"\n") {
			kept = append(kept, s)
		}
	}
	return kept
}

var verb = regexp.MustCompile(`%[a-z]`)

// written is what an expression says, with 7 for what varies; false if that is all.
func written(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.CallExpr:
		if s, ok := e.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Sprintf" {
			text, ok := written(e.Args[0])
			return verb.ReplaceAllString(text, "7"), ok
		}
	case *ast.BinaryExpr:
		left, okLeft := written(e.X)
		right, okRight := written(e.Y)
		if !okLeft && !okRight {
			return "", false
		}
		if !okLeft {
			left = "7"
		}
		if !okRight {
			right = "7"
		}
		return left + right, true
	}
	return "", false
}

func TestRemediesInChinese(t *testing.T) {
	for _, c := range []struct {
		fault exchange.Fault
		want  string
	}{
		{exchange.Fault{Row: 12345, Column: 2, Code: "too_long", Remedy: "at most 400 bytes"}, "第12345行第2列：内容过长；最多400字节（一个汉字占3字节）"},
		{exchange.Fault{Row: 2, Code: "unknown", Remedy: "one of a, b"}, "第2行：没有这个值；可用的值：a, b"},
		{exchange.Fault{Row: 2, Code: "required", Remedy: "give Phones and Emails, or Note"}, "第2行：必填项为空；请填写Phones和Emails，或Note"},
		{exchange.Fault{Row: 2, Code: "malformed", Remedy: "of a scheme that nobody here knows"}, "第2行：格式不正确；请核对并更正"},
		{exchange.Fault{Row: 2, Code: "open_quote"}, "第2行：引号没有闭合"},
		{exchange.Fault{Row: 2, Code: "of an embedder", Detail: "is odd", Remedy: "mend it"}, "第2行：is odd"},
	} {
		if got := c.fault.In(language.Chinese); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if got, want := (exchange.Fault{Row: 12345, Code: "x", Detail: "is odd", Remedy: "mend it"}).In(language.English), "row 12345: is odd; mend it"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
