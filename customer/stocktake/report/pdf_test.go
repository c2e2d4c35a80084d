package report_test

import (
	"bytes"
	"compress/zlib"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/stocktake"
	"github.com/clientele-go/clientele/customer/stocktake/report"
	"github.com/clientele-go/clientele/customer/stocktake/stocktaketest"
	"github.com/clientele-go/clientele/internal/font"
)

// boxes is a font that has nearly every character of the Basic Multilingual Plane, as a
// box.
var boxes = sync.OnceValue(func() []byte {
	var runes []rune
	for r := ' '; r < 0xA000; r++ {
		runes = append(runes, r)
	}
	for r := rune(0xFF00); r < 0xFFF0; r++ {
		runes = append(runes, r)
	}
	return font.Boxes("Boxes", runes)
})

// boxFont is boxes as a file.
func boxFont(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "boxes.ttf")
	if err := os.WriteFile(path, boxes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// shownText is a string that a content stream shows: (…) Tj, in UTF-16 with bytes that
// mean something to PDF behind a backslash (ISO 32000-1, 7.3.4.2).
var shownText = regexp.MustCompile(`(?s)\(((?:\\.|[^\\()])*)\) ?Tj`)

// texts are the strings that the pages of a PDF show, one a line.
func texts(t *testing.T, pdf []byte) string {
	t.Helper()
	var out strings.Builder
	for rest := pdf; ; {
		_, after, found := bytes.Cut(rest, []byte("\nstream\n"))
		if !found {
			return out.String()
		}
		body, next, _ := bytes.Cut(after, []byte("\nendstream"))
		rest = next
		z, err := zlib.NewReader(bytes.NewReader(body))
		if err != nil {
			continue // no compressed stream
		}
		content, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range shownText.FindAllSubmatch(content, -1) {
			out.WriteString(decode(m[1]))
			out.WriteByte('\n')
		}
	}
}

// decode reads the string of a PDF as UTF-16.
func decode(text []byte) string {
	var plain []byte
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
			if at := strings.IndexByte("nrtbf", text[i]); at >= 0 {
				plain = append(plain, "\n\r\t\b\f"[at])
				continue
			}
		}
		plain = append(plain, text[i])
	}
	var units []uint16
	for i := 0; i+1 < len(plain); i += 2 {
		units = append(units, uint16(plain[i])<<8|uint16(plain[i+1]))
	}
	return string(utf16.Decode(units))
}

// compact leaves blanks and line breaks out, since texts are broken into lines.
func compact(text string) string { return strings.Join(strings.Fields(text), "") }

func showsFacts(t *testing.T, text string, tag language.Tag) {
	t.Helper()
	text = compact(text)
	for _, f := range facts(million(), tag) {
		if !strings.Contains(text, compact(f.shown())) {
			t.Errorf("%v: no page shows %s (%s.%s.%s)", tag, f.shown(), f.table, f.row, f.column)
		}
		if !strings.Contains(text, compact(f.label)) {
			t.Errorf("%v: no page shows %q", tag, f.label)
		}
	}
}

func TestPDFShowsTheResult(t *testing.T) {
	to := writers(t)["PDF"]
	for _, tag := range languages {
		pdf := write(t, to, million(), report.Options{Language: tag})
		if !bytes.HasPrefix(pdf, []byte("%PDF-1.")) || !bytes.Contains(pdf, []byte("/CreationDate (D:20260101000000")) {
			t.Error("no PDF, or its date is not the closing's")
		}
		showsFacts(t, texts(t, pdf), tag)
	}
}

// Another program reads the same out of the PDF, with fonts of the system.
func TestPDFIsReadByPoppler(t *testing.T) {
	program, err := exec.LookPath("pdftotext")
	if err != nil {
		t.Skip("SKIPPED: no pdftotext on this system: apt-get install poppler-utils to run this test")
	}
	var pdf bytes.Buffer
	err = report.PDF(&pdf, million(), report.Options{Language: language.SimplifiedChinese})
	if errors.Is(err, report.ErrFont) {
		t.Skip("SKIPPED: no Chinese font on this system: apt-get install fonts-wqy-zenhei or fonts-noto-cjk to run this test")
	}
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "report.pdf")
	if err := os.WriteFile(path, pdf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program, "-raw", path, "-").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	showsFacts(t, string(out), language.SimplifiedChinese)
}

func TestPDFNamesTheCharactersThatNoFontHas(t *testing.T) {
	latin := filepath.Join(t.TempDir(), "latin.ttf")
	if err := os.WriteFile(latin, goregular.TTF, 0o600); err != nil {
		t.Fatal(err)
	}
	r := &stocktake.Result{Definition: stocktake.Frozen{Title: customer.Names{"en": "Customers 客户"}, Rule: customer.Names{"en": "All"}}}
	err := report.PDF(io.Discard, r, report.Options{Fonts: []string{latin}, NoSystemFonts: true})
	missing, ok := errors.AsType[*report.FontError](err)
	if !ok || !errors.Is(err, report.ErrFont) || string(missing.Missing) != "客户" || len(missing.Tried) != 1 {
		t.Fatalf("got %v", err)
	}
	if !strings.Contains(err.Error(), "Options.Fonts") || !strings.Contains(err.Error(), "客户") {
		t.Errorf("the error doesn't say what to do: %v", err)
	}
	r.Definition.Title = customer.Names{"en": "Customers"}
	if err := report.PDF(io.Discard, r, report.Options{Fonts: []string{latin}, NoSystemFonts: true}); err != nil {
		t.Errorf("English with a Latin font: %v", err)
	}
	if err := report.PDF(io.Discard, r, report.Options{Fonts: []string{latin + ".none"}}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a font that isn't there: %v", err)
	}
}

// A PDF holds the outlines of its own characters, not the font.
func TestPDFEmbedsSubsets(t *testing.T) {
	pdf := write(t, report.PDF, stocktaketest.Sample(1, 0), report.Options{Fonts: []string{boxFont(t)}, NoSystemFonts: true})
	if len(pdf) > len(boxes())/8 {
		t.Errorf("the PDF has %d bytes, its font %d", len(pdf), len(boxes()))
	}
}
