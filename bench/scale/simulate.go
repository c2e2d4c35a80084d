package scale

import (
	"container/heap"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Quantiles are a distribution of times: ascending shares, the first 0, the last 1, and
// the time that this share of the answers does not exceed, in seconds.
type Quantiles []Quantile

// Quantile is one point of a distribution.
type Quantile struct{ Share, Seconds float64 }

// ErrQuantiles is wrapped by the error for points that are no distribution.
var ErrQuantiles = errors.New("not a distribution")

func (q Quantiles) check() error {
	if len(q) < 2 || q[0].Share != 0 || q[len(q)-1].Share != 1 || q[0].Seconds <= 0 {
		return fmt.Errorf("scale: %w: it must go from share 0 to 1, with times of more than 0", ErrQuantiles)
	}
	for i := 1; i < len(q); i++ {
		if q[i].Share <= q[i-1].Share || q[i].Seconds < q[i-1].Seconds {
			return fmt.Errorf("scale: %w: point %d (share %g, %g s) does not follow the one before", ErrQuantiles, i, q[i].Share, q[i].Seconds)
		}
	}
	return nil
}

// At is the time at a share, by a straight line between the logarithms of the neighbours.
func (q Quantiles) At(share float64) float64 {
	i, _ := slices.BinarySearchFunc(q, share, func(p Quantile, s float64) int {
		switch {
		case p.Share < s:
			return -1
		case p.Share > s:
			return 1
		}
		return 0
	})
	if i == 0 {
		return q[0].Seconds
	}
	i = min(i, len(q)-1)
	a, b := q[i-1], q[i]
	part := (share - a.Share) / (b.Share - a.Share)
	return math.Exp(math.Log(a.Seconds) + part*(math.Log(b.Seconds)-math.Log(a.Seconds)))
}

// Tail is the time of a request that waits for the slowest of several nodes.
type Tail struct {
	Nodes    int
	P50, P99 float64 // seconds
	// Hedged are the same when a node that has not answered by the time that 95 % do is asked
	// a second time, on its copy; Extra is the share of requests more that this costs.
	HedgedP50, HedgedP99 float64
	Extra                float64
}

// FanOut simulates searches that ask a number of nodes at once, whose times are
// independent and distributed as times, and wait for all (Dean and Barroso, The Tail at
// Scale, 2013). It costs rounds × nodes draws.
func FanOut(times Quantiles, nodes, rounds int, roundTrip float64, seed uint64) (Tail, error) {
	if err := times.check(); err != nil {
		return Tail{}, err
	}
	if nodes < 1 || rounds < 100 {
		return Tail{}, fmt.Errorf("scale: %w: %d nodes, %d rounds; at least 1 and 100", ErrAssumption, nodes, rounds)
	}
	random := rand.New(rand.NewPCG(seed, 0xfa0))
	plain, hedged := make([]float64, rounds), make([]float64, rounds)
	patience := times.At(0.95)
	again := 0
	for i := range rounds {
		for range nodes {
			first := times.At(random.Float64())
			plain[i] = max(plain[i], first)
			if first > patience {
				again++
				first = min(first, patience+times.At(random.Float64()))
			}
			hedged[i] = max(hedged[i], first)
		}
		plain[i] += roundTrip
		hedged[i] += roundTrip
	}
	slices.Sort(plain)
	slices.Sort(hedged)
	at := func(sorted []float64, share float64) float64 {
		return sorted[min(int(share*float64(rounds)), rounds-1)]
	}
	return Tail{
		Nodes: nodes, P50: at(plain, 0.5), P99: at(plain, 0.99), HedgedP50: at(hedged, 0.5), HedgedP99: at(hedged, 0.99),
		Extra: float64(again) / float64(rounds*nodes),
	}, nil
}

// Contention is what optimistic transactions on the same customers cost.
type Contention struct {
	PerSecond float64 // transactions that begin
	Open      float64 // seconds from a transaction's reads to its commit
	Skew      float64 // exponent of the frequencies by which customers are chosen
	Conflicts float64 // share of attempts that another commit undoes
	Hottest   float64 // share of transactions on the customer that is chosen most
	Retries   float64 // attempts for a transaction, on average
}

// mostTries bounds the attempts of one transaction.
const mostTries = 100

// Contend simulates transactions, each on one of n customers, chosen by Zipf's law with an
// exponent over 1 (1.1 is a few large accounts, 1.01 nearly even). Each is open for a fixed
// time; the first to commit wins, the others begin again at once (optimistic concurrency
// control, Kung and Robinson 1981). It costs memory for the customers that are chosen.
func Contend(n, perSecond, open, skew float64, transactions int, seed uint64) (Contention, error) {
	if n < 2 || perSecond <= 0 || open < 0 || skew <= 1 || transactions < 100 {
		return Contention{}, fmt.Errorf("scale: %w: %g customers, %g transactions/s open for %g s, skew %g, %d of them; at least 2, more than 0, not less than 0, more than 1, at least 100",
			ErrAssumption, n, perSecond, open, skew, transactions)
	}
	random := rand.New(rand.NewPCG(seed, 0xc0)) // one stream for arrivals and choices
	choose := rand.NewZipf(random, skew, 1, uint64(n)-1)
	committed := map[uint64]float64{} // by customer: when the last transaction committed
	chosen := map[uint64]int{}
	tried, conflicts, hottest := 0, 0, 0
	now := 0.0
	// A transaction that begins later ends later, as all are open equally long: so they can
	// be taken in the order of their beginnings.
	queue := attempts{}
	for began := 0; began < transactions || len(queue) > 0; {
		if began < transactions && (len(queue) == 0 || now <= queue[0].began) {
			customer := choose.Uint64()
			chosen[customer]++
			hottest = max(hottest, chosen[customer])
			heap.Push(&queue, attempt{began: now, customer: customer, tries: 1})
			began++
			now += random.ExpFloat64() / perSecond
			continue
		}
		a := heap.Pop(&queue).(attempt)
		tried++
		end := a.began + open
		if last, ok := committed[a.customer]; ok && last > a.began && a.tries < mostTries {
			conflicts++
			heap.Push(&queue, attempt{began: end, customer: a.customer, tries: a.tries + 1})
			continue
		}
		committed[a.customer] = end
	}
	return Contention{
		PerSecond: perSecond, Open: open, Skew: skew,
		Conflicts: float64(conflicts) / float64(tried), Hottest: float64(hottest) / float64(transactions),
		Retries: float64(tried) / float64(transactions),
	}, nil
}

type attempt struct {
	began    float64
	customer uint64
	tries    int
}

// attempts are a heap, the earliest on top.
type attempts []attempt

func (a attempts) Len() int           { return len(a) }
func (a attempts) Less(i, j int) bool { return a[i].began < a[j].began }
func (a attempts) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *attempts) Push(x any)        { *a = append(*a, x.(attempt)) }

func (a *attempts) Pop() any {
	last := len(*a) - 1
	x := (*a)[last]
	*a = (*a)[:last]
	return x
}
