package font_test

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/language"

	ours "github.com/clientele-go/clientele/internal/font"
)

// write puts a font into a file of the test.
func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func find(t *testing.T, text string, o ours.Options) *ours.Set {
	t.Helper()
	s, err := ours.Find([]rune(text), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// area is the area that an outline encloses, in ems squared, and its bounds: by Green's
// theorem over curves cut into short lines, whatever their kind. It says whether two fonts
// draw the same.
func area(t *testing.T, f *sfnt.Font, r rune) (enclosed float64, advance float64) {
	t.Helper()
	var b sfnt.Buffer
	index, err := f.GlyphIndex(&b, r)
	if err != nil || index == 0 {
		t.Fatalf("no glyph for %q: %v", r, err)
	}
	em := float64(f.UnitsPerEm())
	ppem := fixed.I(int(f.UnitsPerEm()))
	width, err := f.GlyphAdvance(&b, index, ppem, font.HintingNone)
	if err != nil {
		t.Fatal(err)
	}
	segments, err := f.LoadGlyph(&b, index, ppem, nil)
	if err != nil {
		t.Fatal(err)
	}
	var x, y, x0, y0 float64
	to := func(u, v float64) {
		enclosed += (x*v - u*y) / 2
		x, y = u, v
	}
	at := func(p fixed.Point26_6) (float64, float64) { return float64(p.X) / 64 / em, float64(p.Y) / 64 / em }
	for _, s := range segments {
		ax, ay := at(s.Args[0])
		bx, by := at(s.Args[1])
		cx, cy := at(s.Args[2])
		px, py := x, y
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			to(x0, y0)
			x0, y0, x, y = ax, ay, ax, ay
		case sfnt.SegmentOpLineTo:
			to(ax, ay)
		case sfnt.SegmentOpQuadTo:
			for i := 1; i <= 32; i++ {
				u := float64(i) / 32
				v := 1 - u
				to(v*v*px+2*u*v*ax+u*u*bx, v*v*py+2*u*v*ay+u*u*by)
			}
		case sfnt.SegmentOpCubeTo:
			for i := 1; i <= 32; i++ {
				u := float64(i) / 32
				v := 1 - u
				to(v*v*v*px+3*u*v*v*ax+3*u*u*v*bx+u*u*u*cx, v*v*v*py+3*u*v*v*ay+3*u*u*v*by+u*u*u*cy)
			}
		}
	}
	to(x0, y0)
	return math.Abs(enclosed), float64(width) / 64 / em
}

// same compares the subset's characters with those of the font that they come from.
func same(t *testing.T, original, subset *sfnt.Font, text string) {
	t.Helper()
	for _, r := range text {
		wantArea, wantAdvance := area(t, original, r)
		gotArea, gotAdvance := area(t, subset, r)
		if math.Abs(gotArea-wantArea) > 0.002 || math.Abs(gotAdvance-wantAdvance) > 0.001 {
			t.Errorf("%q: encloses %.4f em² and is %.4f em wide, want %.4f and %.4f", r, gotArea, gotAdvance, wantArea, wantAdvance)
		}
	}
}

func parse(t *testing.T, data []byte) *sfnt.Font {
	t.Helper()
	f, err := sfnt.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func subset(t *testing.T, s *ours.Set) ([]byte, map[rune]rune) {
	t.Helper()
	data, private, err := s.Subset("Test")
	if err != nil {
		t.Fatal(err)
	}
	return data, private
}

func TestSubsetDrawsAsTheOriginal(t *testing.T) {
	const text = "Report 2026: éÅß&@%…−"
	s := find(t, text, ours.Options{Files: []string{write(t, "go.ttf", goregular.TTF)}, NoSystem: true})
	data, _ := subset(t, s)
	if len(data) > len(goregular.TTF)/4 {
		t.Errorf("the subset of %d characters has %d bytes, the font %d", len([]rune(text)), len(data), len(goregular.TTF))
	}
	same(t, parse(t, goregular.TTF), parse(t, data), text)
	var b sfnt.Buffer
	if n, _ := parse(t, data).GlyphIndex(&b, 'Z'); n != 0 {
		t.Error("the subset has a character that nobody asked for")
	}
}

// Characters come from the first font that has them.
func TestFontsFillUpEachOther(t *testing.T) {
	latin := write(t, "latin.ttf", goregular.TTF)
	boxes := write(t, "boxes.ttf", ours.Boxes("Boxes", []rune("A客户盘点")))
	s := find(t, "A客户", ours.Options{Files: []string{latin, boxes}, NoSystem: true})
	if got := s.Faces(); len(got) != 2 || got[0].Path != latin || got[1].Path != boxes {
		t.Errorf("faces are %+v", got)
	}
	data, _ := subset(t, s)
	f := parse(t, data)
	same(t, parse(t, goregular.TTF), f, "A")
	// A box of three thirds: 7/8 of the em wide, 7/10 high.
	if enclosed, advance := area(t, f, '客'); math.Abs(enclosed-0.875*0.7) > 0.001 || math.Abs(advance-1) > 0.001 {
		t.Errorf("the box encloses %v and is %v wide, want 0.6125 and 1", enclosed, advance)
	}
}

func TestMissingCharactersAreNamed(t *testing.T) {
	latin := write(t, "latin.ttf", goregular.TTF)
	_, err := ours.Find([]rune("户A客\t\n户"), ours.Options{Files: []string{latin}, NoSystem: true})
	missing, ok := errors.AsType[*ours.MissingError](err)
	if !ok || string(missing.Runes) != "客户" || !slices.Equal(missing.Tried, []string{latin}) {
		t.Errorf("got %v", err)
	}
}

// A hyphen stands for the minus that a font lacks.
func TestCharactersAreDrawnAsOthers(t *testing.T) {
	latin := write(t, "latin.ttf", ours.Boxes("Boxes", []rune("0-")))
	s := find(t, "0−", ours.Options{Files: []string{latin}, NoSystem: true, Instead: map[rune]rune{'−': '-'}})
	data, _ := subset(t, s)
	f := parse(t, data)
	got, advance := area(t, f, '−')
	// A box of one third: 1/3 − 1/8 of the em wide, 7/10 high.
	if want := (1.0/3 - 0.125) * 0.7; math.Abs(got-want) > 0.001 || math.Abs(advance-1.0/3) > 0.001 {
		t.Errorf("the minus encloses %v and is %v wide, want %v and 1/3", got, advance, want)
	}
	if _, err := ours.Find([]rune("0−"), ours.Options{Files: []string{latin}, NoSystem: true, Instead: map[rune]rune{'−': '~'}}); err == nil {
		t.Error("what stands for another is missing too")
	}
}

func TestFilesThatAreNoFontsAreRefused(t *testing.T) {
	for name, data := range map[string][]byte{"empty.ttf": nil, "text.otf": []byte("this is no font"), "cut.ttf": goregular.TTF[:1000]} {
		path := write(t, name, data)
		if _, err := ours.Find([]rune("A"), ours.Options{Files: []string{path}, NoSystem: true}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := ours.Find([]rune("A"), ours.Options{Files: []string{"nowhere.ttf"}, NoSystem: true}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestEqualSubsetsAreEqualBytes(t *testing.T) {
	path := write(t, "go.ttf", goregular.TTF)
	var all [2][]byte
	for i, text := range []string{"Report", "troRepRe"} {
		all[i], _ = subset(t, find(t, text, ours.Options{Files: []string{path}, NoSystem: true}))
	}
	if !bytes.Equal(all[0], all[1]) {
		t.Error("the same characters in another order give another font")
	}
}

// Fonts of the system: OpenType outlines and collections, and characters beyond 16 bits.
func TestSystemFontsHaveChinese(t *testing.T) {
	const text = "客户盘点，臺灣 2026"
	for tag, name := range map[string]string{"zh-Hans": " SC", "zh-Hant": " TC"} {
		s, err := ours.Find([]rune(text), ours.Options{Language: language.MustParse(tag)})
		if _, missing := errors.AsType[*ours.MissingError](err); missing {
			t.Skip("NO CHINESE FONT ON THIS SYSTEM: apt-get install fonts-wqy-zenhei or fonts-noto-cjk to run this test")
		}
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		face := s.Faces()[0]
		if strings.Contains(face.Name, "Noto Sans CJK") && !strings.Contains(face.Name, name) {
			t.Errorf("for %s the face is %s", tag, face.Name)
		}
		data, _ := subset(t, s)
		if len(data) > 20_000 {
			t.Errorf("the subset of %s has %d bytes", face.Name, len(data))
		}
		file, err := os.Open(face.Path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		c, err := sfnt.ParseCollectionReaderAt(file)
		if err != nil {
			t.Fatal(err)
		}
		for i := range c.NumFonts() {
			f, err := c.Font(i)
			if err != nil {
				if f, err = ours.Mended(file, i); err != nil {
					t.Fatal(err)
				}
			}
			var b sfnt.Buffer
			if full, _ := f.Name(&b, sfnt.NameIDFull); full == face.Name {
				same(t, f, parse(t, data), "客户盘点臺灣2026")
			}
		}
	}
}
