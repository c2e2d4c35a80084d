package capacity

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Schema names the form of a report. A reader of version n reads every report whose
// version is n; members may be added to a version, never removed or given another
// meaning.
const Schema = "clientele.capacity/1"

// Report is everything that a run measured and concluded. Sizes are bytes and times are
// seconds unless a name says otherwise.
type Report struct {
	Schema   string    `json:"schema"`
	Started  time.Time `json:"started"`
	Seconds  float64   `json:"seconds"` // of work, over all sessions of a run that was resumed
	Settings Settings  `json:"settings"`
	Machine  *Machine  `json:"machine"`
	Steps    []Step    `json:"steps"`
	// Unfinished is what was measured at a size before the run was cut off there. The
	// verdict doesn't look at it.
	Unfinished *Step    `json:"unfinished,omitempty"`
	Stopped    Stop     `json:"stopped"`
	Growth     []Growth `json:"growth,omitempty"`
	Verdict    *Verdict `json:"verdict,omitempty"`
	Plan       *Plan    `json:"plan,omitempty"`
	Soak       *Soaked  `json:"soak,omitempty"`
}

// Settings are what a run was asked for. Reports of other seeds or workloads are not
// comparable.
type Settings struct {
	Customers     int     `json:"customers"` // at most
	Seed          uint64  `json:"seed"`
	Workload      int     `json:"workload"` // version of the generator
	Levels        []Level `json:"levels"`
	BudgetSeconds float64 `json:"budget_seconds"`
	Rate          float64 `json:"rate_per_second"` // of the mixed load
	DiskReserve   int64   `json:"disk_reserve_bytes"`
	Speed         float64 `json:"speed"` // 1, or less for fewer and shorter repetitions
}

// Step is what was measured at one size.
type Step struct {
	Customers int       `json:"customers"`
	At        time.Time `json:"at"`
	Seconds   float64   `json:"seconds"` // that the step took, growth included
	Results   []*Result `json:"results"`
	Mixed     *Mixed    `json:"mixed,omitempty"`

	DiskBytes     int64 `json:"disk_bytes"`     // records, indexes, journal and search, after the import
	SearchBytes   int64 `json:"search_bytes"`   // of which search
	ResidentBytes int64 `json:"resident_bytes"` // the most that the process had in use
	HeapBytes     int64 `json:"heap_bytes"`     // live at the end
	// OtherCores is how many cores other programs kept busy meanwhile: the more, the slower
	// the slowest answers. It is 0 where that is not known.
	OtherCores float64 `json:"other_cores"`
}

// Result returns what was measured of a question, false when it wasn't.
func (s *Step) Result(question string) (*Result, bool) {
	for _, r := range s.Results {
		if r.Question == question {
			return r, true
		}
	}
	return nil, false
}

// DiskPerCustomer is how many bytes a customer takes with everything.
func (s *Step) DiskPerCustomer() float64 { return float64(s.DiskBytes) / float64(s.Customers) }

// Why a run stopped.
const (
	StoppedCustomers   = "customers"   // it reached the number that was asked for
	StoppedLevel       = "level"       // a service level is broken
	StoppedDisk        = "disk"        // the disk's reserve would be used
	StoppedMemory      = "memory"      // the memory would not do
	StoppedBudget      = "budget"      // the time is used up
	StoppedInterrupted = "interrupted" // somebody stopped it, or it is under way
	StoppedError       = "error"       // something failed
)

// Stop says why a run ended.
type Stop struct {
	Why    string `json:"why"`              // one of the words above
	Level  string `json:"level,omitempty"`  // the broken one, as ParseLevels reads it
	Detail string `json:"detail,omitempty"` // in English
}

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// ReadReport reads what WriteJSON wrote.
func ReadReport(path string) (*Report, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var head struct{ Schema string }
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("%s: not a report: %w", path, err)
	}
	if head.Schema != Schema {
		return nil, fmt.Errorf("%s: its schema is %q; this program reads %q, as bench capacity -json writes it", path, head.Schema, Schema)
	}
	r := &Report{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// save writes the report to a file, which is whole at any time.
func (r *Report) save(path string) error { return writeFile(path, r.WriteJSON) }

// writeFile makes a file whose contents are either the old or the new.
func writeFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := write(f); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
