package lint

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
)

// rules are all rules.
var rules = []func(*source, func(finding)){
	imports, blankImports, inits, exits, markers, machinePaths, length, documented, exemplified, links, origins, dependencies,
}

// blankImports finds imports for their side effects: nothing registers itself here.
func blankImports(s *source, report func(finding)) {
	s.eachCode(func(p *pkg, f *file) {
		for _, spec := range f.ast.Imports {
			if spec.Name != nil && spec.Name.Name == "_" && importPath(spec) != "embed" {
				report(finding{"blank import", f.place(spec), "imports " + importPath(spec) + " for its side effects; pass a value in Options instead"})
			}
		}
	})
}

// mayRegister names what the init function of a folder may call elsewhere, with its
// reason.
var mayRegister = map[string]string{
	"customer/search github.com/blevesearch/bleve/v2/index/scorch.RegisterSegmentPlugin": "is the only way to give Bleve a segment format; it goes by our own name and changes nothing for others",
}

// inits finds init functions that reach beyond their package. One may fill its own
// package's variables; it may not register anything anywhere.
func inits(s *source, report func(finding)) {
	s.eachCode(func(p *pkg, f *file) {
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || fn.Name.Name != "init" {
				continue
			}
			f.calls(fn, func(call *ast.CallExpr, imported, name string) {
				if imported != "" && mayRegister[p.dir+" "+imported+"."+name] == "" {
					report(finding{"init", f.place(call), "init calls " + imported + "." + name + "; it may only fill variables of its own package"})
				}
			})
		}
	})
}

// mayEnd names the functions that may do so, and the types of values that may be
// thrown, as folder.name, each with its reason. Misuse by a caller is none.
var mayEnd = map[string]string{
	"storage/kv/kvtest.FailNow": "is testing.TB's, which ends the test's goroutine",
	"storage/kv/kvtest.SkipNow": "is testing.TB's, which ends the test's goroutine",
	"customer/search.damage":    "is recovered by every exported method, as what Bleve throws at damaged files must be",
}

// exits finds what ends the process or the goroutine of a caller.
func exits(s *source, report func(finding)) {
	s.eachCode(func(p *pkg, f *file) {
		if p.name == "main" {
			return
		}
		for _, d := range f.ast.Decls {
			function := p.dir
			if fn, ok := d.(*ast.FuncDecl); ok {
				function += "." + fn.Name.Name
			}
			f.calls(d, func(call *ast.CallExpr, imported, name string) {
				if ends(imported, name) && mayEnd[function] == "" && mayEnd[p.dir+"."+thrown(call)] == "" {
					report(finding{"exit", f.place(call), "calls " + strings.TrimPrefix(imported+"."+name, ".") + "; return an error"})
				}
			})
		}
	})
}

func ends(imported, name string) bool {
	switch imported {
	case "":
		return name == "panic"
	case "os", "syscall":
		return name == "Exit"
	case "log":
		return strings.HasPrefix(name, "Fatal") || strings.HasPrefix(name, "Panic")
	case "runtime":
		return name == "Goexit"
	}
	return false
}

// thrown returns the type of the value that a panic is called with, if it is made there.
func thrown(call *ast.CallExpr) string {
	if len(call.Args) == 1 {
		if value, ok := call.Args[0].(*ast.CompositeLit); ok {
			if of, ok := value.Type.(*ast.Ident); ok {
				return of.Name
			}
		}
	}
	return ""
}

// unfinished are the words for what somebody means to do later.
var unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X|HA` + `CK)\b`)

// markers finds notes of unfinished work. Issues are kept elsewhere.
func markers(s *source, report func(finding)) {
	s.eachText(true, func(path, text string) {
		eachMatch(unfinished, path, text, func(place, word string) {
			report(finding{"marker", place, word + ": finish it, or open an issue"})
		})
	})
}

// machinePath matches absolute paths that exist on somebody's machine only.
var machinePath = regexp.MustCompile("(?m)(^|[\\s\"'`(=:])" + `(/(tmp|work|home|root|Users|var/folders)/|[A-Z]:\\)`)

// machinePaths finds such paths in code that isn't test code, and in documents.
func machinePaths(s *source, report func(finding)) {
	s.eachText(false, func(path, text string) {
		eachMatch(machinePath, path, text, func(place, found string) {
			report(finding{"machine path", place, fmt.Sprintf("names %q", strings.TrimSpace(found))})
		})
	})
}

func eachMatch(pattern *regexp.Regexp, path, text string, visit func(place, found string)) {
	for _, at := range pattern.FindAllStringIndex(text, -1) {
		visit(fmt.Sprintf("%s:%d", path, 1+strings.Count(text[:at[1]-1], "\n")), text[at[0]:at[1]])
	}
}

const maxLines = 700

// length finds files too long to have one subject.
func length(s *source, report func(finding)) {
	for _, p := range s.packages {
		for _, f := range p.files {
			if lines := strings.Count(f.text, "\n"); lines > maxLines && !ast.IsGenerated(f.ast) {
				report(finding{"length", f.path, fmt.Sprintf("has %d lines, at most %d", lines, maxLines)})
			}
		}
	}
}

// documented finds packages that don't say in doc.go what they are; a command may
// say it in any file.
func documented(s *source, report func(finding)) {
	for _, p := range s.packages {
		if p.name == "" {
			continue // tests only
		}
		said := slices.ContainsFunc(p.files, func(f *file) bool {
			return f.ast.Doc != nil && (path.Base(f.path) == "doc.go" || p.name == "main")
		})
		if !said {
			report(finding{"documented", p.dir, "has no package comment in doc.go"})
		}
	}
}

// withoutExample are the packages that nobody calls, and those that are called from
// tests only, which an Example is not.
var withoutExample = []string{"internal/lint", "internal/accesstest", "internal/crashtest", "storage/kv/kvtest", "tagging/taggingtest"}

// exemplified finds packages without a runnable Example.
func exemplified(s *source, report func(finding)) {
	for _, p := range s.packages {
		if p.name == "main" || p.name == "" || slices.Contains(withoutExample, p.dir) {
			continue
		}
		if !slices.ContainsFunc(p.files, (*file).exemplifies) {
			report(finding{"exemplified", p.dir, "has no Example with an Output comment"})
		}
	}
}

func (f *file) exemplifies() bool {
	if !f.test {
		return false
	}
	for _, d := range f.ast.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, "Example") && f.checksOutput(fn) {
			return true
		}
	}
	return false
}

var output = regexp.MustCompile(`(?i)^\s*(unordered )?output:`)

func (f *file) checksOutput(fn *ast.FuncDecl) bool {
	return slices.ContainsFunc(f.ast.Comments, func(c *ast.CommentGroup) bool {
		return c.Pos() > fn.Pos() && c.End() < fn.End() && output.MatchString(c.Text())
	})
}

// link matches the target of an inline Markdown link or image.
var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// links finds links to files that don't exist.
func links(s *source, report func(finding)) {
	for name, text := range s.documents {
		if path.Ext(name) != ".md" {
			continue
		}
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			target, _, _ := strings.Cut(match[1], "#")
			if target == "" || strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			if !s.paths[path.Join(path.Dir(name), target)] {
				report(finding{"link", name, "links to " + target + ", which does not exist"})
			}
		}
	}
}

// origins finds folders of data without a SOURCE.md that tells where they come from and
// under which licence, and those that NOTICE leaves out.
func origins(s *source, report func(finding)) {
	for dir := range s.paths {
		if path.Base(dir) != "data" {
			continue
		}
		if !s.paths[dir+"/SOURCE.md"] {
			report(finding{"origin", dir, "has no SOURCE.md"})
		}
		if !strings.Contains(s.documents["NOTICE"], "\n"+dir+"\n") {
			report(finding{"origin", "NOTICE", "does not name " + dir})
		}
	}
}

// required matches one module of go.mod's requirements.
var required = regexp.MustCompile(`(?m)^(?:require)?\s+(\S+) v\S+`)

const dependencyList = "docs/dependencies.md"

// dependencies compares the modules that the code imports with those that
// docs/dependencies.md gives a reason for.
func dependencies(s *source, report func(finding)) {
	explained := s.documents[dependencyList]
	imported := s.importedModules()
	for m := range imported {
		if !strings.Contains(explained, "`"+m+"`") {
			report(finding{"dependency", dependencyList, "gives no reason for " + m})
		}
	}
	for _, match := range regexp.MustCompile("(?m)^\\| `([^`]+)` ").FindAllStringSubmatch(explained, -1) {
		if !imported[match[1]] {
			report(finding{"dependency", dependencyList, match[1] + " is imported nowhere"})
		}
	}
}

func (s *source) importedModules() map[string]bool {
	imported := map[string]bool{}
	var modules []string
	for _, match := range required.FindAllStringSubmatch(s.goMod, -1) {
		modules = append(modules, match[1])
	}
	note := func(path string) {
		for _, m := range modules {
			if path == m || strings.HasPrefix(path, m+"/") {
				imported[m] = true
			}
		}
	}
	for _, p := range s.packages {
		for _, f := range p.files {
			for _, spec := range f.ast.Imports {
				note(importPath(spec))
			}
		}
	}
	for _, match := range regexp.MustCompile(`(?m)^(?:tool)?\s+(\S+)$`).FindAllStringSubmatch(s.goMod, -1) {
		note(match[1])
	}
	return imported
}

// eachCode calls visit for every file that isn't a test.
func (s *source) eachCode(visit func(*pkg, *file)) {
	for _, p := range s.packages {
		for _, f := range p.files {
			if !f.test {
				visit(p, f)
			}
		}
	}
}

// eachText calls visit for all code and documents.
func (s *source) eachText(tests bool, visit func(path, text string)) {
	for _, p := range s.packages {
		for _, f := range p.files {
			if tests || !f.test {
				visit(f.path, f.text)
			}
		}
	}
	for path, text := range s.documents {
		visit(path, text)
	}
}
