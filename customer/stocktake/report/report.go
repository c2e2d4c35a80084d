package report

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer/stocktake"
)

// Options say how a report is written. The zero value is English, the definition's time
// zone, fonts of the system.
type Options struct {
	// Language of the report: Chinese (simplified), or else English. Names of dimensions
	// and of their values come in the language that fits best.
	Language language.Tag
	// Location is the time zone that instants are shown in; nil is that of the definition.
	Location *time.Location
	// Fonts are files (.ttf, .otf, .ttc) that the PDF takes characters from, in this order
	// before the system's, which are searched for where Linux, macOS and Windows keep them.
	Fonts []string
	// NoSystemFonts keeps the PDF to Fonts, so that it is the same on every machine.
	NoSystemFonts bool
}

// ErrNoResult is what a nil result gives.
var ErrNoResult = errors.New("there is no result")

// ErrFont tells that no font has all characters of a report; see [FontError].
var ErrFont = errors.New("no font has all characters")

// Error says what of a result could not be shown.
type Error struct {
	Op     string // "HTML", "XLSX", "CSV", "PDF"
	Field  string // of the Result
	Value  string
	Remedy string
	Err    error
}

func (e *Error) Error() string {
	text := "stocktake report: " + e.Op + ": "
	if e.Field != "" {
		text += fmt.Sprintf("%s %q: ", e.Field, e.Value)
	}
	text += e.Err.Error()
	if e.Remedy != "" {
		text += "; " + e.Remedy
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// open makes the document of a result, or says why not.
func open(op string, r *stocktake.Result, o Options) (*document, error) {
	if r == nil {
		return nil, &Error{Op: op, Err: ErrNoResult, Remedy: "give a run's result"}
	}
	return compose(op, r, o)
}
