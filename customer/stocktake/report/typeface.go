package report

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clientele-go/clientele/internal/chart"
	"github.com/clientele-go/clientele/internal/font"
)

// FontError says which characters of a report no font has. It wraps [ErrFont].
type FontError struct {
	Missing []rune   // in order
	Tried   []string // font files
}

func (e *FontError) Error() string {
	return fmt.Sprintf("%v: %d are missing, among them %q; %d font files were tried", ErrFont, len(e.Missing), string(e.Missing[:min(len(e.Missing), 20)]), len(e.Tried))
}

func (e *FontError) Unwrap() error { return ErrFont }

// remedy says what to do about a missing font.
const remedy = "name a font with these characters in Options.Fonts, or install one (on Debian: apt-get install fonts-noto-cjk or fonts-wqy-zenhei)"

// plainer are the characters drawn for punctuation that many Chinese fonts lack.
var plainer = map[rune]rune{'−': '-', '–': '-', '—': '-', '×': 'x', '·': '.', '…': '.'}

// typeface makes the font of the document: its characters alone, from the first fonts that
// have them.
func (d *document) typeface(o Options) (ttf []byte, private map[rune]rune, err error) {
	set, err := font.Find(d.characters(), font.Options{Files: o.Fonts, NoSystem: o.NoSystemFonts, Language: o.Language, Instead: plainer})
	if missing, ok := errors.AsType[*font.MissingError](err); ok {
		return nil, nil, &Error{Op: "PDF", Err: &FontError{missing.Runes, missing.Tried}, Remedy: remedy}
	}
	if err != nil {
		return nil, nil, &Error{Op: "PDF", Field: "Options.Fonts", Value: strings.Join(o.Fonts, ", "), Err: err, Remedy: "name font files that can be read"}
	}
	defer set.Close()
	ttf, private, err = set.Subset("ClienteleReport")
	if err != nil {
		return nil, nil, &Error{Op: "PDF", Err: err}
	}
	return ttf, private, nil
}

// characters are all that can stand on a page.
func (d *document) characters() []rune {
	seen := map[rune]bool{'…': true, '−': true}
	for r := ' '; r <= '~'; r++ {
		seen[r] = true
	}
	see := func(texts ...string) {
		for _, text := range texts {
			for _, r := range text {
				seen[r] = true
			}
		}
	}
	see(d.title, d.subtitle, d.footer, d.say("None. Page", "无。第页"))
	for _, f := range d.figures {
		see(f.label, d.figure(f), f.note)
	}
	if d.notice != nil {
		see(d.notice.text)
	}
	for _, s := range d.sections {
		see(s.title, s.intro)
		if s.notice != nil {
			see(s.notice.text)
		}
		for _, p := range s.parts {
			d.eachText(p, see)
		}
	}
	return slices.Collect(maps.Keys(seen))
}

// eachText visits the texts of a part.
func (d *document) eachText(p part, see func(...string)) {
	t := p.table
	see(t.title, t.note)
	for _, c := range t.columns {
		see(c.title)
	}
	for _, r := range t.rows {
		for i, c := range r.cells {
			see(d.write(c, t.columns[i]))
		}
	}
	for _, one := range p.plots {
		see(one.title)
		for _, m := range d.draw(one, t).Draw(chart.Wide).Marks {
			see(m.Text)
		}
	}
}
