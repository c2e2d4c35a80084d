package capacity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/clientele-go/clientele/bench/stat"
)

// Difference is what has changed in one question at one size.
type Difference struct {
	Customers int
	Question  string
	Unit      string
	Old, New  float64
	// Worse is by what part the new value is worse: 0.1 for 10 % slower, or for a rate
	// 10 % less; negative when it is better.
	Worse float64
	// P is the probability that the repetitions differ so much by chance, 1 where there
	// are too few to say. Significant says that it is less than 0.05.
	P           float64
	Significant bool
}

// significance is the greatest probability of chance at which a difference counts.
const significance = 0.05

// Compare returns what has changed from one report to another, at the sizes and in the
// questions that both have. It fails for reports of other seeds or workloads.
func Compare(old, new *Report) ([]Difference, error) {
	if a, b := old.Settings, new.Settings; a.Seed != b.Seed || a.Workload != b.Workload {
		return nil, fmt.Errorf("the reports are about different customers: seed %d, workload %d and seed %d, workload %d", a.Seed, a.Workload, b.Seed, b.Workload)
	}
	var list []Difference
	for i := range new.Steps {
		after := &new.Steps[i]
		for j := range old.Steps {
			if before := &old.Steps[j]; before.Customers == after.Customers {
				list = append(list, compareSteps(before, after)...)
			}
		}
	}
	if len(list) == 0 {
		return nil, errors.New("the reports have no size in common; run both with the same -customers")
	}
	return list, nil
}

func compareSteps(before, after *Step) (list []Difference) {
	for _, b := range after.Results {
		a, ok := before.Result(b.Question)
		q, known := questionNamed(b.Question)
		if !ok || !known || a.Value <= 0 || b.Value <= 0 {
			continue
		}
		d := Difference{Customers: after.Customers, Question: b.Question, Unit: b.Unit, Old: a.Value, New: b.Value}
		d.Worse = b.Value/a.Value - 1
		if q.unit.rate() {
			d.Worse = a.Value/b.Value - 1
		}
		d.P = stat.Differ(a.Repetitions, b.Repetitions)
		d.Significant = d.P < significance
		list = append(list, d)
	}
	return list
}

// otherCores is how many cores other programs kept busy, the most of the steps.
func (r *Report) otherCores() (most float64) {
	for i := range r.Steps {
		most = math.Max(most, r.Steps[i].OtherCores)
	}
	return most
}

// CompareCommand is the command compare.
func CompareCommand(_ context.Context, args []string, out io.Writer) error {
	if len(args) != 2 {
		return errors.New("usage: go run ./bench compare OLD.json NEW.json, reports that bench capacity -json wrote")
	}
	old, err := ReadReport(args[0])
	if err != nil {
		return err
	}
	new, err := ReadReport(args[1])
	if err != nil {
		return err
	}
	list, err := Compare(old, new)
	if err != nil {
		return err
	}
	return writeDifferences(out, old, new, list)
}

func writeDifferences(w io.Writer, old, new *Report, list []Difference) error {
	var b strings.Builder
	if a, c := old.Machine, new.Machine; a != nil && c != nil && (a.Processor != c.Processor || a.Cores != c.Cores) {
		fmt.Fprintf(&b, "Other machines: %s, %d cores, and %s, %d cores.\n\n", a.Processor, a.Cores, c.Processor, c.Cores)
	}
	fmt.Fprintf(&b, "%-10s %-14s %18s %18s %9s  %s\n", "customers", "question", "old", "new", "change", "p")
	significant := 0
	for _, d := range list {
		q, _ := questionNamed(d.Question)
		change, mark := fmt.Sprintf("%+.1f %%", 100*(d.New/d.Old-1)), ""
		switch {
		case !d.Significant:
			change = "~"
		case d.Worse > 0:
			mark, significant = "worse", significant+1
		default:
			mark, significant = "better", significant+1
		}
		fmt.Fprintf(&b, "%-10s %-14s %18s %18s %9s  %.3f %s\n", count(d.Customers), d.Question, valueText(d.Old, q.unit), valueText(d.New, q.unit), change, d.P, mark)
	}
	fmt.Fprintf(&b, "\n%d of %d differences are significant (Mann–Whitney U, two-sided, p < %.2f); about %.0f would be by chance alone. ~ is none.\n",
		significant, len(list), significance, math.Round(significance*float64(len(list))))
	b.WriteString("The repetitions of one run share what the machine did meanwhile: what comes again in another pair of runs is sure.\n")
	if a, c := old.otherCores(), new.otherCores(); math.Max(a, c) > 0.1 {
		fmt.Fprintf(&b, "Other programs kept %.1f cores busy during the old run and %.1f during the new: differences follow them too.\n", a, c)
	}
	if old.Verdict != nil && new.Verdict != nil {
		fmt.Fprintf(&b, "Old: %s\nNew: %s\n", old.Verdict, new.Verdict)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
