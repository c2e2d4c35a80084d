package lint

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// fragment is a block of Go code in a Markdown document.
type fragment struct {
	path string
	line int // of its first line
	code string
}

var fence = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")

func fragments(documents map[string]string) []fragment {
	var all []fragment
	for path, text := range documents {
		for _, match := range fence.FindAllStringSubmatchIndex(text, -1) {
			all = append(all, fragment{path, strings.Count(text[:match[2]], "\n") + 1, text[match[2]:match[3]]})
		}
	}
	return all
}

// packages are what fragments may use, by the name that they use.
var packages = map[string]string{
	"context": "context", "errors": "errors", "fmt": "fmt", "os": "os", "strings": "strings", "sync": "sync", "testing": "testing", "time": "time",
	"clientele":   module,
	"customer":    module + "/customer",
	"identifier":  module + "/customer/identifier",
	"search":      module + "/customer/search",
	"credit":      module + "/credit",
	"date":        module + "/credit/date",
	"money":       module + "/credit/money",
	"classify":    module + "/tagging/classify",
	"orgtree":     module + "/orgtree",
	"packs":       module + "/tagging/packs",
	"taggingtest": module + "/tagging/taggingtest",
	"retail":      module + "/examples/plugin/retail",
	"storage":     module + "/storage",
	"kv":          module + "/storage/kv",
	"prommetrics": module + "/storage/prommetrics",
	"slogmetrics": module + "/storage/slogmetrics",
	"prometheus":  "github.com/prometheus/client_golang/prometheus",
}

// file makes a compilable file of a fragment: a program under another name, which
// saves linking it, declarations with a package clause and imports, statements in a
// function with the usual variables.
func (f fragment) file(n int) string {
	if strings.HasPrefix(f.code, "package ") {
		return strings.Replace(f.code, "package main", "package program", 1)
	}
	body := f.code
	if !strings.HasPrefix(body, "type ") && !strings.HasPrefix(body, "func ") {
		body = fmt.Sprintf("func fragment%d(ctx context.Context, book *clientele.Book, me *clientele.Session, id customer.ID) error {\n{\n//line %s:%d\n%s}\nreturn nil\n}\n",
			n, f.path, f.line, f.code)
	}
	var b strings.Builder
	b.WriteString("package fragments\n\nimport (\n")
	for name, path := range packages {
		if regexp.MustCompile(`\b` + name + `\.[A-Z]`).MatchString(body) {
			fmt.Fprintf(&b, "%s %q\n", name, path)
		}
	}
	b.WriteString(")\n\n" + body)
	return b.String()
}

// compile returns the compiler's complaints about files, but for variables that a
// fragment leaves to the reader.
func compile(t *testing.T, files ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"build", "-gcflags=-e", "-o", os.DevNull}, files...)...)
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "GOFLAGS=") // -v would add to what it says
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	complaints := slices.Collect(strings.Lines(string(out)))
	return slices.DeleteFunc(complaints, func(line string) bool {
		return strings.HasPrefix(line, "# ") || strings.Contains(line, "declared and not used")
	})
}

func write(t *testing.T, dir string, n int, f fragment) string {
	t.Helper()
	name := filepath.Join(dir, fmt.Sprintf("fragment%d.go", n))
	if err := os.WriteFile(name, []byte(f.file(n)), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestCodeInDocumentsCompiles(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the compiler")
	}
	s, err := load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var together []string
	programs := 0
	for n, f := range fragments(s.documents) {
		name := write(t, dir, n, f)
		if !strings.HasPrefix(f.code, "package ") {
			together = append(together, name)
			continue
		}
		programs++
		for _, complaint := range compile(t, name) {
			t.Errorf("%s:%d: %s", f.path, f.line, complaint)
		}
	}
	if programs == 0 || len(together) < 10 {
		t.Fatalf("%d programs and %d fragments found in the documents", programs, len(together))
	}
	for _, complaint := range compile(t, together...) {
		t.Error(complaint)
	}
}

func TestCodeThatDoesNotCompileIsFound(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the compiler")
	}
	found := fragments(map[string]string{"guide.md": "# Guide\n\n```go\nbook.Clsoe()\n```\n\n```go\nunused := 1\n```\n"})
	if len(found) != 2 || found[0].line != 4 {
		t.Fatalf("found %+v", found)
	}
	dir := t.TempDir()
	complaints := compile(t, write(t, dir, 0, found[0]), write(t, dir, 1, found[1]))
	if len(complaints) != 1 || !strings.Contains(complaints[0], "guide.md:4") || !strings.Contains(complaints[0], "Clsoe") {
		t.Errorf("complaints are %q, want one about Clsoe in guide.md:4", complaints)
	}
}
