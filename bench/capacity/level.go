package capacity

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Level is a service level: what an answer may take at most, or how many a second there
// must be at least.
type Level struct {
	Probe string `json:"probe"` // the name of what is measured
	// Most is the most seconds for a latency; Least is the least a second for a rate. The
	// other is 0.
	Most  float64 `json:"most_seconds,omitempty"`
	Least float64 `json:"least_per_second,omitempty"`
}

// String writes the level as ParseLevels reads it.
func (l Level) String() string {
	if l.Least > 0 {
		return l.Probe + "=" + strconv.FormatFloat(l.Least, 'f', -1, 64) + "/s"
	}
	return l.Probe + "=" + time.Duration(l.Most*1e9).String()
}

// Broken reports whether a measured value is worse than the level.
func (l Level) Broken(value float64) bool {
	if l.Least > 0 {
		return value < l.Least
	}
	return value > l.Most
}

// fewLoaded is how many customers or items a load must have had for its rate to be judged:
// what fewer take is the load's beginning and end.
const fewLoaded = 5000

// brokenBy reports whether a measurement is worse than the level.
func (l Level) brokenBy(r *Result) bool {
	few := strings.HasPrefix(r.Question, "import") && r.Answers < fewLoaded
	return !few && l.Broken(r.Judged)
}

// DefaultLevels are what users of an accounting product hardly wait for, on a machine of
// its own.
const DefaultLevels = "get=2ms,code=2ms,pick=50ms,search=200ms,filter=50ms,facet=100ms,candidates=50ms," +
	"create=50ms,update=50ms,reserve=50ms,aging.one=20ms,aging=5s,aging.past=5s,aging.total=500ms," +
	"crosstab=2s,stocktake=10s,import=5000/s,open=10s,recovery=30s,mixed=200ms"

// ParseLevels reads service levels, such as "get=1ms,search=50ms,import=20000/s": names of
// probes, each with the longest time or the lowest rate that is still good. Errors name
// what would be right.
func ParseLevels(text string) ([]Level, error) {
	var levels []Level
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		l, err := parseLevel(part)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(levels, func(o Level) bool { return o.Probe == l.Probe }) {
			return nil, fmt.Errorf("service level %q: %s is there twice; say it once", part, l.Probe)
		}
		levels = append(levels, l)
	}
	return levels, nil
}

func parseLevel(part string) (Level, error) {
	name, value, ok := strings.Cut(part, "=")
	if !ok {
		return Level{}, fmt.Errorf("service level %q: write NAME=TIME or NAME=NUMBER/s, such as get=1ms or import=20000/s", part)
	}
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	q, known := questionNamed(name)
	if !known {
		return Level{}, fmt.Errorf("service level %q: %q is not measured; use one of %s", part, name, strings.Join(questionNames(), ", "))
	}
	if q.unit.rate() {
		return parseRate(part, name, value)
	}
	d, err := time.ParseDuration(value)
	if err != nil || d <= 0 {
		return Level{}, fmt.Errorf("service level %q: %q is not a time more than 0; write %s=50ms, or another with us, ms, s or m", part, value, name)
	}
	return Level{Probe: name, Most: d.Seconds()}, nil
}

func parseRate(part, name, value string) (Level, error) {
	number, ok := strings.CutSuffix(value, "/s")
	n, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || !(n > 0) || n > 1e12 {
		return Level{}, fmt.Errorf("service level %q: %s is a rate; write %s=20000/s", part, name, name)
	}
	return Level{Probe: name, Least: n}, nil
}
