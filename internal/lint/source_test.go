package lint

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

const module = "github.com/clientele-go/clientele"

// source is the repository as the rules see it.
type source struct {
	packages  []*pkg
	documents map[string]string // Markdown, scripts and the like, by path
	goMod     string
	paths     map[string]bool // every file and folder
}

// pkg is one folder of Go files, its external test package included.
type pkg struct {
	dir   string // "." for the root
	name  string // of the files that are not tests, empty without such
	files []*file
}

type file struct {
	path  string
	text  string
	test  bool
	ast   *ast.File
	at    *token.FileSet
	local map[string]string // imported paths by the name they have in the file
}

// finding is one thing that a rule forbids.
type finding struct{ rule, path, what string }

func (f finding) String() string { return f.path + ": " + f.what + " (" + f.rule + ")" }

// load reads a repository, without hidden folders, test data and other modules.
func load(root fs.FS) (*source, error) {
	s := &source{documents: map[string]string{}, paths: map[string]bool{}}
	byDir := map[string]*pkg{}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		s.paths[name] = true
		if d.IsDir() {
			return s.enter(root, name, d)
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		switch {
		case strings.HasSuffix(name, ".go"):
			return addFile(byDir, name, string(text))
		case name == "go.mod":
			s.goMod = string(text)
		case isDocument(name):
			s.documents[name] = string(text)
		}
		return nil
	})
	for _, p := range byDir {
		s.packages = append(s.packages, p)
	}
	slices.SortFunc(s.packages, func(a, b *pkg) int { return strings.Compare(a.dir, b.dir) })
	return s, err
}

func (s *source) enter(root fs.FS, dir string, d fs.DirEntry) error {
	if dir == "." || dir == ".ci" {
		return nil
	}
	if strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" {
		return fs.SkipDir
	}
	if _, err := fs.Stat(root, path.Join(dir, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

func isDocument(name string) bool {
	switch path.Ext(name) {
	case ".md", ".sh":
		return true
	}
	return name == "Makefile" || name == "NOTICE" || path.Dir(name) == ".ci"
}

func addFile(byDir map[string]*pkg, name, text string) error {
	f := &file{path: name, text: text, test: strings.HasSuffix(name, "_test.go"), at: token.NewFileSet(), local: map[string]string{}}
	var err error
	f.ast, err = parser.ParseFile(f.at, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, spec := range f.ast.Imports {
		imported := importPath(spec)
		local := path.Base(imported)
		if spec.Name != nil {
			local = spec.Name.Name
		}
		f.local[local] = imported
	}
	dir := path.Dir(name)
	p := byDir[dir]
	if p == nil {
		p = &pkg{dir: dir}
		byDir[dir] = p
	}
	if !f.test {
		p.name = f.ast.Name.Name
	}
	p.files = append(p.files, f)
	return nil
}

func importPath(spec *ast.ImportSpec) string {
	unquoted, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return spec.Path.Value
	}
	return unquoted
}

// external reports whether the file belongs to the package's external test package.
func (f *file) external() bool { return f.test && strings.HasSuffix(f.ast.Name.Name, "_test") }

// place names a node of the file as path:line.
func (f *file) place(n ast.Node) string {
	return fmt.Sprintf("%s:%d", f.path, f.at.Position(n.Pos()).Line)
}

// calls calls visit for every call of a function of an imported package, and with an
// empty path for a call of a bare name, such as a builtin.
func (f *file) calls(within ast.Node, visit func(call *ast.CallExpr, imported, name string)) {
	ast.Inspect(within, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch fun := ast.Unparen(call.Fun).(type) {
		case *ast.Ident:
			visit(call, "", fun.Name)
		case *ast.SelectorExpr:
			if x, ok := fun.X.(*ast.Ident); ok && f.local[x.Name] != "" {
				visit(call, f.local[x.Name], fun.Sel.Name)
			}
		}
		return true
	})
}
