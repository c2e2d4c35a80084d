package match

import (
	"errors"
	"fmt"
	"runtime"
	"unicode/utf8"

	"github.com/clientele-go/clientele/dedupe/compare"
)

// Options say what the records are. Only the schema is needed.
type Options struct {
	// Schema says what each column holds, in the order of [Record].Values.
	Schema []Field
	// Mode says which pairs count.
	Mode Mode
	// OneToOne allows a record one partner in each other source, in mode Link, whatever
	// the records suggest. Without it, that is found out for each source.
	OneToOne bool
	// Model scores the records. Nil: a model is trained from the records themselves.
	Model *Model
	// Judged pairs are forced: people decided them.
	Judged []Judgement
	// Candidates is how many neighbours of each record are compared at most.
	// 0 stands for 20.
	Candidates int
	// Workers is how many goroutines share the work. 0 stands for all processors.
	Workers int
	// Memory bounds the bytes that the keys of a run, and then its pairs, may take beside
	// the records and their index. What does not fit goes to temporary files, which the run
	// removes however it ends; the result is the same. In mode Link pairs beyond it are
	// compared twice, as what was said of them isn't kept. If all normal forms of names and
	// addresses would take more than it, they are made anew from their texts when they are
	// needed, which takes half more time (of 100,000 records twice as much). 0 stands for 2 GiB.
	Memory int64
	// TempDir is the folder for temporary files, which hold hashes and the numbers of rows.
	// Empty stands for [os.TempDir].
	TempDir string
	// Checkpoint names a file in which the run notes what it has done, so that a run that
	// was ended or killed, started again over the same records with the same options and
	// the same program, goes on from there and gives the same result. A file of another
	// run is written over. The file stays; see [RemoveCheckpoint]. Empty notes nothing.
	Checkpoint string
	// Country is the ISO 3166-1 alpha-2 code for phones without a calling code.
	Country string
	// Comparators replace or add comparators by type.
	Comparators map[compare.Type]func(compare.Type, compare.Options) (compare.Comparator, error)
	// Progress, if not nil, is called now and then by one goroutine at a time.
	Progress func(Progress)

	teaching int // pairs that training looks at, where a test wants fewer than enoughPairs
}

// Judgement is a person's decision about a pair, by the ids of its records.
type Judgement struct {
	A, B string
	Same bool
}

// Stage is a step of a run.
type Stage string

// The stages of a run, in their order.
const (
	Reading    Stage = "read"
	Preparing  Stage = "prepare"
	Blocking   Stage = "block"
	Comparing  Stage = "compare"
	Training   Stage = "train"
	Scoring    Stage = "score"
	Clustering Stage = "cluster"
)

// Progress tells how far a stage is. Total is 0 while it is unknown.
type Progress struct {
	Stage       Stage
	Done, Total int
}

// What an [Error] wraps.
var (
	ErrSchema = errors.New("invalid schema")
	ErrRecord = errors.New("invalid record")
	ErrModel  = errors.New("invalid model")
)

// Error names what is wrong, and what would be right.
type Error struct {
	Kind   error  // ErrSchema, ErrRecord or ErrModel
	Field  string // of the schema, or "id"
	Row    int    // of the stream, from 1; 0 where there is none
	Value  string
	Remedy string
}

func (e *Error) Error() string {
	row := ""
	if e.Row > 0 {
		row = fmt.Sprintf(" in row %d", e.Row)
	}
	return fmt.Sprintf("match: %v%s: %s %q: %s", e.Kind, row, e.Field, clip(e.Value), e.Remedy)
}

// Unwrap returns the kind.
func (e *Error) Unwrap() error { return e.Kind }

// clip is the beginning of a long text, cut between characters.
func clip(s string) string {
	end := 60
	if len(s) <= end {
		return s
	}
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

func (o *Options) workers() int {
	if o.Workers > 0 {
		return o.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// neighbours is how many neighbours of a record are compared.
func (o *Options) neighbours() int {
	if o.Candidates <= 0 {
		return 20
	}
	return max(o.Candidates, surely)
}

// drawing draws the pairs that teach, of so many.
func (o *Options) drawing(pairs int) drawing {
	if o.teaching > 0 {
		return newDrawing(pairs, o.teaching)
	}
	return newDrawing(pairs, enoughPairs)
}

// memory is what a run may take beside what it must.
func (o *Options) memory() int64 {
	if o.Memory <= 0 {
		return 2 << 30
	}
	return o.Memory
}

// spill keeps to the memory that a run may take.
func (o *Options) spill() *spill { return &spill{memory: o.memory(), dir: o.TempDir} }

func (o *Options) comparator(t compare.Type, corpus *compare.Corpus) (compare.Comparator, error) {
	with := compare.Options{Country: o.Country, Corpus: corpus}
	if make := o.Comparators[t]; make != nil {
		return make(t, with)
	}
	return compare.New(t, with)
}
