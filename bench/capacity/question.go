package capacity

import (
	"context"
	"time"
)

// unit is what a measurement is in.
type unit uint8

const (
	seconds   unit = iota // of an answer
	customers             // a second
	items                 // receivables a second
	requests              // a second
)

var unitNames = [...]string{"s", "customers/s", "items/s", "requests/s"}

func (u unit) String() string { return unitNames[u] }

// rate reports whether more is better.
func (u unit) rate() bool { return u != seconds }

// probe puts one question to a book again and again. ask may be called from several
// goroutines, each with other numbers; it returns how long the answer took, and an error
// when that is wrong.
type probe interface {
	ask(ctx context.Context, number int) (time.Duration, error)
}

// pace is how often a question is asked: in repetitions of so many asks, until most of the
// time is used up.
type pace struct {
	repetitions, asks int
	most              time.Duration
}

var (
	quick = pace{15, 200, 3 * time.Second}
	brisk = pace{15, 20, 5 * time.Second}
	slow  = pace{7, 1, 10 * time.Second}
	whole = pace{3, 1, 15 * time.Second}
)

// question is what a book is asked at each size.
type question struct {
	name string
	unit unit
	pace pace
	// prepare makes the probe; nil for what is measured by the way, such as imports.
	prepare func(ctx context.Context, b *book) (probe, error)
}

// questions are in the order in which they are asked. Names stand in service levels and
// reports, and never change their meaning.
var questions = []question{
	{name: "import", unit: customers},
	{name: "import.tags", unit: customers},
	{name: "import.items", unit: items},
	{name: "import.search", unit: customers},
	{"get", seconds, quick, newGet},
	{"code", seconds, quick, newByCode},
	{"pick", seconds, brisk, newPick},
	{"search", seconds, brisk, newSearch},
	{"filter", seconds, brisk, newFilter},
	{"facet", seconds, brisk, newFacet},
	{"crosstab", seconds, slow, newCrossTab},
	{"stocktake", seconds, slow, newStocktake},
	{"candidates", seconds, brisk, newCandidates},
	{"create", seconds, brisk, newCreate},
	{"update", seconds, brisk, newUpdate},
	{"reserve", seconds, brisk, newReserve},
	{"writers", customers, whole, nil},
	{"aging.one", seconds, brisk, newAgingOne},
	{"aging.total", seconds, slow, newAgingTotal},
	{"aging", seconds, slow, newAging},
	{"aging.past", seconds, slow, newAgingPast},
	{"mixed", seconds, pace{}, nil},
	{"throughput", requests, pace{}, nil},
	{"backup", seconds, whole, newBackup},
	{"open", seconds, whole, newReopen},
	{"recovery", seconds, whole, newRecovery},
}

func questionNamed(name string) (question, bool) {
	for _, q := range questions {
		if q.name == name {
			return q, true
		}
	}
	return question{}, false
}

func questionNames() (names []string) {
	for _, q := range questions {
		names = append(names, q.name)
	}
	return names
}
