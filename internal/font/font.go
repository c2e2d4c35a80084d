package font

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/language"
)

// Face is one font of a file.
type Face struct {
	Path, Name string
	font       *sfnt.Font
	buffer     sfnt.Buffer
}

// glyph returns the number of a character's glyph, 0 if there is none.
func (f *Face) glyph(r rune) sfnt.GlyphIndex {
	n, err := f.font.GlyphIndex(&f.buffer, r)
	if err != nil {
		return 0
	}
	return n
}

// Set is faces with the characters that each is to draw. It is for one goroutine.
type Set struct {
	faces  []*Face
	runes  map[rune]*Face
	drawn  map[rune]rune // what is drawn for others, see Options.Instead
	closes []io.Closer
}

// Close closes the files.
func (s *Set) Close() error {
	var errs []error
	for _, c := range s.closes {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// Faces returns the faces that characters are taken from, as they were found.
func (s *Set) Faces() []*Face { return s.faces }

// Options say where fonts are looked for.
type Options struct {
	Files    []string     // before those of the system
	NoSystem bool         // Files alone
	Language language.Tag // chooses among the faces of a collection
	// Instead says which character is drawn for one that no font has, as a hyphen for a
	// minus.
	Instead map[rune]rune
}

// MissingError tells which characters no font has.
type MissingError struct {
	Runes []rune   // in order
	Tried []string // files
}

func (e *MissingError) Error() string {
	shown := string(e.Runes[:min(len(e.Runes), 20)])
	return fmt.Sprintf("no font has %d characters, among them %q; %d font files were tried", len(e.Runes), shown, len(e.Tried))
}

// mostFiles bounds how many fonts of a system are opened for a rare character.
const mostFiles = 400

// Find returns faces that have all characters, or a [*MissingError]. A file of Options
// that can't be read is an error; one of the system is passed over. Control characters
// need no face. The caller closes the Set.
func Find(runes []rune, o Options) (*Set, error) {
	s := &Set{runes: map[rune]*Face{}, drawn: map[rune]rune{}}
	missing := slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(runes))), func(r rune) bool { return r < ' ' })
	var tried []string
	for _, path := range o.Files {
		tried = append(tried, path)
		var err error
		if missing, err = s.take(path, o.Language, missing); err != nil {
			_ = s.Close()
			return nil, err
		}
	}
	if len(missing) > 0 && !o.NoSystem {
		for _, path := range system() {
			tried = append(tried, path)
			missing, _ = s.take(path, o.Language, missing)
			if len(missing) == 0 || len(tried) > mostFiles {
				break
			}
		}
	}
	missing = slices.DeleteFunc(missing, func(r rune) bool { return s.draw(r, o.Instead[r]) })
	if len(missing) > 0 {
		_ = s.Close()
		return nil, &MissingError{missing, tried}
	}
	return s, nil
}

// draw has a character drawn as another, if there is one and a face has it.
func (s *Set) draw(r, instead rune) bool {
	for _, f := range s.faces {
		if instead != 0 && f.glyph(instead) != 0 {
			s.runes[r], s.drawn[r] = f, instead
			return true
		}
	}
	return false
}

// take opens a file for the characters that it has, and returns the others.
func (s *Set) take(path string, tag language.Tag, missing []rune) (rest []rune, err error) {
	file, err := os.Open(path)
	if err != nil {
		return missing, fmt.Errorf("font: %w", err)
	}
	face, err := open(file, path, tag)
	if err != nil {
		_ = file.Close()
		return missing, fmt.Errorf("font: %s: %w", path, err)
	}
	used := false
	for _, r := range missing {
		if face.glyph(r) == 0 {
			rest = append(rest, r)
			continue
		}
		s.runes[r], used = face, true
	}
	if !used {
		return rest, file.Close()
	}
	s.faces, s.closes = append(s.faces, face), append(s.closes, file)
	return rest, nil
}

// open returns the face of a file that suits a language best.
func open(file io.ReaderAt, path string, tag language.Tag) (*Face, error) {
	c, err := sfnt.ParseCollectionReaderAt(file)
	if err != nil {
		return nil, err
	}
	var best *Face
	most := -1
	for i := range c.NumFonts() {
		f, err := c.Font(i)
		if err != nil {
			if f, err = mended(file, i); err != nil {
				return nil, err
			}
		}
		face := &Face{Path: path, font: f}
		face.Name, _ = f.Name(&face.buffer, sfnt.NameIDFull)
		if fits := suits(face.Name, tag); fits > most {
			best, most = face, fits
		}
	}
	if best == nil {
		return nil, errors.New("the collection is empty")
	}
	return best, nil
}

// suits says how well the name of a face fits a language: Noto Sans CJK SC is for
// simplified Chinese.
func suits(name string, tag language.Tag) int {
	region := "SC"
	if script, _ := tag.Script(); script.String() == "Hant" {
		region = "TC"
	}
	n := 0
	if slices.Contains(strings.Fields(name), region) {
		n += 2
	}
	if !strings.Contains(name, "Mono") && !strings.Contains(name, "Sharp") {
		n++
	}
	return n
}

// preferred are the beginnings of names of font files, the best for a report first: sans
// serif faces with Latin and Chinese characters, then Latin ones, which are replaced
// character by character.
var preferred = []string{
	"NotoSansCJK-Regular", "NotoSansCJKsc-Regular", "NotoSansSC-Regular", "SourceHanSans-Regular", "SourceHanSansSC-Regular", "SourceHanSansCN-Regular",
	"PingFang", "msyh.", "Hiragino Sans GB", "STHeiti", "wqy-microhei", "wqy-zenhei", "DroidSansFallback", "simhei", "Deng.", "simsun", "uming", "ukai", "gbsn00lp", "NotoSansTC-Regular", "msjh.",
	"NotoSans-Regular", "DejaVuSans.", "LiberationSans-Regular", "FreeSans.", "Arial.", "arial.", "Helvetica.", "NotoSerifCJK-Regular",
}

// folders are where systems keep fonts (XDG Base Directory, macOS, Windows).
func folders() (list []string) {
	home, _ := os.UserHomeDir()
	add := func(base string, parts ...string) {
		if base != "" {
			list = append(list, filepath.Join(append([]string{base}, parts...)...))
		}
	}
	add(os.Getenv("XDG_DATA_HOME"), "fonts")
	add(home, ".local", "share", "fonts")
	add(home, ".fonts")
	add(home, "Library", "Fonts")
	add("/usr/local/share/fonts")
	add("/usr/share/fonts")
	add("/Library/Fonts")
	add("/System/Library/Fonts")
	add(os.Getenv("LOCALAPPDATA"), "Microsoft", "Windows", "Fonts")
	add(os.Getenv("SystemRoot"), "Fonts")
	return list
}

// system lists the font files of the system, preferred ones first, the others by name.
func system() []string {
	type found struct {
		path string
		rank int
	}
	var list []found
	for _, folder := range folders() {
		_ = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return nil // a folder that isn't there or may not be read has no fonts
			}
			switch strings.ToLower(filepath.Ext(path)) {
			case ".ttf", ".otf", ".ttc", ".otc":
				rank := slices.IndexFunc(preferred, func(name string) bool { return strings.HasPrefix(entry.Name(), name) })
				if rank < 0 {
					rank = len(preferred)
				}
				list = append(list, found{path, rank})
			}
			return nil
		})
	}
	slices.SortStableFunc(list, func(a, b found) int {
		if a.rank != b.rank {
			return a.rank - b.rank
		}
		return strings.Compare(a.path, b.path)
	})
	paths := make([]string, len(list))
	for i, f := range list {
		paths[i] = f.path
	}
	return slices.Compact(paths)
}
