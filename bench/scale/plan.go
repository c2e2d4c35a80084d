package scale

import (
	"errors"
	"fmt"
	"math"

	"github.com/clientele-go/clientele/bench/capacity"
	"github.com/clientele-go/clientele/bench/stat"
)

// Assumptions are what a calculation takes for given. The zero value is of no use; begin
// with [Usual].
type Assumptions struct {
	Copies int // of every byte on the shared engine
	// A node of the engine, or of search.
	Cores  int
	Memory int64 // bytes
	Disk   int64 // bytes
	// Share is how much of a node's cores, memory and disk the plan uses; the rest is for
	// peaks, compactions and the loss of a neighbour.
	Share float64
	// Overhead is what the engine's own row format takes, as a multiple of our keys and values.
	Overhead float64
	// RoundTrip is the time between two nodes and back, in seconds.
	RoundTrip float64
	// Of a customer in a day of Busy seconds: how often it is read, changed, searched for.
	Reads, Writes, Searches float64
	Busy                    float64 // seconds
	// MatchCPU is what one record costs in a batch that looks for duplicates, in CPU seconds
	// on MatchRecords records; it is taken to grow with the logarithm of the number.
	MatchCPU     float64
	MatchRecords float64
	MatchBytes   float64 // for a record, on disk or in memory while it runs
}

// Usual are assumptions that a plan can begin with: nodes of 16 cores, 64 GiB and 2 TB,
// three copies, half of everything in use, one read, a tenth of a write and a fifth of a
// search for each customer in ten busy hours. The cost of matching is that of
// `go run ./bench match -rows 200000`.
func Usual() Assumptions {
	return Assumptions{
		Copies: 3, Cores: 16, Memory: 64 << 30, Disk: 2e12, Share: 0.5, Overhead: 1.5, RoundTrip: 0.5e-3,
		Reads: 1, Writes: 0.1, Searches: 0.2, Busy: 10 * 3600,
		MatchCPU: 100e-6, MatchRecords: 200_000, MatchBytes: 4500,
	}
}

// ErrAssumption is wrapped by the error for an assumption that can't be.
var ErrAssumption = errors.New("impossible assumption")

func (a Assumptions) check() error {
	for _, c := range []struct {
		name string
		ok   bool
		want string
	}{
		{"copies", a.Copies >= 1, "at least 1"},
		{"cores", a.Cores >= 1, "at least 1"},
		{"memory", a.Memory > 0, "more than 0 bytes"},
		{"disk", a.Disk > 0, "more than 0 bytes"},
		{"share", a.Share > 0 && a.Share <= 1, "more than 0, at most 1"},
		{"overhead", a.Overhead >= 1, "at least 1"},
		{"round trip", a.RoundTrip >= 0, "not less than 0 s"},
		{"busy time", a.Busy > 0, "more than 0 s"},
		{"requests", a.Reads >= 0 && a.Writes >= 0 && a.Searches >= 0, "not less than 0"},
		{"matching", a.MatchCPU > 0 && a.MatchRecords > 1 && a.MatchBytes >= 0, "a cost of more than 0 s measured on more than one record"},
	} {
		if !c.ok {
			return fmt.Errorf("scale: %w: %s: %s", ErrAssumption, c.name, c.want)
		}
	}
	return nil
}

// Costs are the unit costs of one machine.
type Costs struct {
	Customers  float64 // at which they were measured
	StoreBytes float64 // of a customer: records, indexes, history, journal
	IndexBytes float64 // of a customer: search
	// CPU seconds.
	Load, Create, Update, Get, Search float64
	Index                             float64 // of a customer, into search
	// SearchGrowth is how the time of a search grows with the customers searched.
	SearchGrowth stat.Curve
	// SearchTimes are the times that a search took, in seconds, for the simulation.
	SearchTimes Quantiles
}

// ErrIncomplete is wrapped by the error for a report that lacks a measurement.
var ErrIncomplete = errors.New("incomplete report")

// CostsOf reads the unit costs from the largest step of a report.
func CostsOf(r *capacity.Report) (Costs, error) {
	if len(r.Steps) == 0 {
		return Costs{}, fmt.Errorf("scale: %w: no size was measured; run capacity first", ErrIncomplete)
	}
	s := &r.Steps[len(r.Steps)-1]
	n := float64(s.Customers)
	c := Costs{Customers: n, StoreBytes: float64(s.DiskBytes-s.SearchBytes) / n, IndexBytes: float64(s.SearchBytes) / n}
	for _, q := range []struct {
		name string
		to   *float64
	}{{"import", &c.Load}, {"create", &c.Create}, {"update", &c.Update}, {"get", &c.Get}, {"search", &c.Search}} {
		result, ok := s.Result(q.name)
		if !ok || result.CPUSeconds <= 0 {
			return Costs{}, fmt.Errorf("scale: %w: %q was not measured at %d customers", ErrIncomplete, q.name, s.Customers)
		}
		*q.to = result.CPUSeconds
	}
	indexed, ok := s.Result("import.search")
	if !ok || indexed.Value <= 0 || r.Machine == nil {
		return Costs{}, fmt.Errorf("scale: %w: \"import.search\" or the machine was not measured", ErrIncomplete)
	}
	c.Index = float64(r.Machine.Cores) / indexed.Value
	c.SearchGrowth = stat.Curve{Shape: stat.Linear, Slope: 1}
	for _, g := range r.Growth {
		if g.Question == "search" {
			c.SearchGrowth = g.Curve
		}
	}
	result, _ := s.Result("search")
	c.SearchTimes = Quantiles{{0, result.P50 / 2}, {0.5, result.P50}, {0.9, result.P90}, {0.99, result.P99}, {0.999, result.P999}, {1, result.Max}}
	return c, c.SearchTimes.check()
}

// Plan is what a number of customers takes.
type Plan struct {
	Customers float64

	StoreBytes float64 // on the engine, all copies
	StoreNodes int     // that hold them
	WriteNodes int     // that the writes of a busy hour keep at Share of their cores
	ReadNodes  int     // the same of reads by id

	IndexBytes  float64 // search, one copy
	SearchParts int     // over which one copy is divided, each in the memory of a node; a search asks all
	SearchNodes int     // so many copies of each part that they answer the searches of a busy hour
	SearchTime  float64 // of one part, in seconds of a core

	LoadCores    float64 // hours of one core
	LoadHours    float64 // on all store nodes
	RebuildHours float64 // of search, all parts at once
	MatchCores   float64 // hours of one core
	MatchHours   float64 // on as many cores as the store nodes have
	MatchBytes   float64
	RestoreHours float64 // of one lost node, from its neighbours, at a GB/s of all together and 100 MB/s a disk
}

const hour = 3600

// PlanFor calculates what n customers take. The costs of a read and a write are taken to
// stay as they are (they follow the depth of a tree), those of a search to grow with the
// customers of a part as they did on one machine.
func PlanFor(n float64, c Costs, a Assumptions) (Plan, error) {
	if err := a.check(); err != nil {
		return Plan{}, err
	}
	if n < 1 || math.IsInf(n, 0) || math.IsNaN(n) {
		return Plan{}, fmt.Errorf("scale: %w: %g customers", ErrAssumption, n)
	}
	p := Plan{Customers: n}
	cores := float64(a.Cores) * a.Share // of a node, for requests
	perSecond := n / a.Busy

	p.StoreBytes = n * c.StoreBytes * a.Overhead * float64(a.Copies)
	p.StoreNodes = max(a.Copies, nodes(p.StoreBytes, float64(a.Disk)*a.Share))
	p.WriteNodes = nodes(perSecond*a.Writes*(c.Create+c.Update)/2*float64(a.Copies), cores)
	p.ReadNodes = nodes(perSecond*a.Reads*c.Get, cores)

	p.IndexBytes = n * c.IndexBytes
	p.SearchParts = max(1, nodes(p.IndexBytes, float64(a.Memory)*a.Share))
	part := n / float64(p.SearchParts)
	p.SearchTime = c.Search * c.SearchGrowth.At(part) / c.SearchGrowth.At(c.Customers)
	p.SearchNodes = p.SearchParts * max(1, nodes(perSecond*a.Searches*p.SearchTime, cores))

	all := float64(p.StoreNodes) * cores
	p.LoadCores = n * c.Load / hour
	p.LoadHours = p.LoadCores * float64(a.Copies) / all
	p.RebuildHours = part * c.Index / cores / hour
	p.MatchCores = n * a.MatchCPU * math.Log(n) / math.Log(a.MatchRecords) / hour
	p.MatchHours = p.MatchCores / all
	p.MatchBytes = n * a.MatchBytes
	p.RestoreHours = p.StoreBytes / float64(p.StoreNodes) / min(1e9, 100e6*float64(max(p.StoreNodes-1, 1))) / hour
	return p, nil
}

// nodes is how many are needed for a load.
func nodes(load, each float64) int { return int(math.Ceil(load / each)) }
