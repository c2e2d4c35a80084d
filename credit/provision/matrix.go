package provision

import (
	"fmt"
	"iter"
	"maps"
	"math/big"
	"slices"

	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
)

// Segment is a group of customers with one history of losses: a region, a kind of
// customer, insured or not.
type Segment struct {
	Name   string
	Losses []Rate // of each bucket, not due first: Experience.Losses, or given
	// Forward adjusts experience to what is expected: 1.1 expects a tenth more losses. The
	// zero value is 1.
	Forward    money.Rate
	Experience *Experience // where Losses are from, for the workpaper; may be nil
}

// applied returns the rates that the allowance is computed with: losses times forward, at
// most all, in whole millionths so that a reader can compute the same by hand.
func (s Segment) applied() []Rate {
	forward := s.Forward
	if forward.IsZero() {
		forward = money.One()
	}
	under := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(forward.Scale)), nil)
	rates := make([]Rate, len(s.Losses))
	for i, loss := range s.Losses {
		over := new(big.Int).SetUint64(forward.Coefficient)
		over.Mul(over, big.NewInt(int64(loss)))
		limit := new(big.Int).Mul(under, big.NewInt(int64(Certain)))
		if over.Cmp(limit) > 0 {
			over = limit
		}
		rates[i] = rounded(over, under)
	}
	return rates
}

// Assessment is the expected loss of one customer that was assessed on its own.
type Assessment struct {
	Loss   int64 // minor units, at most what the customer owes
	Reason string
}

// Matrix is a provision matrix.
type Matrix struct {
	AsOf     date.Date
	Buckets  aging.Buckets
	Currency money.Currency
	Segments []Segment
	// SegmentOf returns the name of a customer's segment; nil puts all in the first.
	SegmentOf func(customer uint64) (string, error)
	// Name returns what a customer is called in the workpaper; nil writes the number.
	Name func(customer uint64) string
	// Assessed are the customers that are left out of the matrix.
	Assessed map[uint64]Assessment
	// NetUnapplied lets a customer's unapplied credits lessen what it owes, the oldest
	// first, before rates are applied. Without, the gross amounts count (IFRS 9 leaves
	// offsetting to IAS 32.42: only where there is a right and the intention to settle net).
	NetUnapplied bool
}

// Movement is what happened to the allowance since the last report.
type Movement struct {
	Opening    int64
	WrittenOff int64 // used up
	Recovered  int64 // of what was written off before
}

// Line is a cell of the matrix.
type Line struct {
	Segment   string
	Column    int // of the bucket
	Gross     int64
	Rate      Rate
	Allowance int64
}

// AssessedLine is a customer assessed on its own.
type AssessedLine struct {
	Customer uint64
	Name     string
	Gross    int64
	Assessment
}

// Workpaper is an allowance and how it was computed. Gross of all lines, Assessed and
// Unapplied add up to Balance.
type Workpaper struct {
	Matrix    Matrix
	Lines     []Line // by segment, then bucket
	Assessed  []AssessedLine
	Unapplied int64 // credits not set off, zero or less
	Balance   int64 // receivables
	Allowance int64
	Movement  Movement
	Charge    int64 // to profit or loss: Allowance − (Opening − WrittenOff + Recovered)
}

// Allowance computes the loss allowance of receivables aged by customer. A bucket whose
// sum is below zero has none. It costs a pass over the rows and memory for the assessed.
func (m Matrix) Allowance(rows iter.Seq2[aging.Row, error], movement Movement) (Workpaper, error) {
	if err := m.validate(); err != nil {
		return Workpaper{}, err
	}
	c := &calculation{Matrix: m, paper: Workpaper{Matrix: m, Movement: movement}, gross: make([][]int64, len(m.Segments))}
	for i := range c.gross {
		c.gross[i] = make([]int64, m.Buckets.Len())
	}
	for row, err := range rows {
		if err == nil {
			err = c.add(row)
		}
		if err != nil {
			return Workpaper{}, err
		}
	}
	return c.finish()
}

func (m Matrix) validate() error {
	if len(m.Segments) == 0 {
		return &Error{"Segments", "", "give at least one segment", ErrSegment}
	}
	for i, s := range m.Segments {
		field := fmt.Sprintf("Segments[%d].Losses", i)
		if len(s.Losses) != m.Buckets.Len() {
			return &Error{field, fmt.Sprint(len(s.Losses)), fmt.Sprintf("give %d rates, not due first", m.Buckets.Len()), ErrRate}
		}
		for _, r := range s.Losses {
			if r < 0 || r > Certain {
				return &Error{field, r.String(), "give rates from 0 to 100 %", ErrRate}
			}
		}
	}
	return nil
}

// calculation is an allowance in the making.
type calculation struct {
	Matrix
	paper Workpaper
	gross [][]int64 // by segment and bucket
	err   error     // an overflow
}

func (c *calculation) add(row aging.Row) error {
	if row.Currency != c.Currency || len(row.Buckets) != c.Buckets.Len() {
		return &Error{"row of customer", fmt.Sprint(row.Customer), fmt.Sprintf("convert it to %s and use the matrix's %d buckets", c.Currency, c.Buckets.Len()), ErrRow}
	}
	buckets, unapplied := row.Buckets, row.Unapplied
	if c.NetUnapplied {
		buckets, unapplied = net(row)
	}
	c.paper.Unapplied = c.plus(c.paper.Unapplied, unapplied)
	c.paper.Balance = c.plus(c.paper.Balance, row.Balance)
	if a, ok := c.Assessed[row.Customer]; ok {
		return c.assess(row.Customer, buckets, a)
	}
	segment, err := c.segment(row.Customer)
	if err != nil {
		return err
	}
	for column, minor := range buckets {
		c.gross[segment][column] = c.plus(c.gross[segment][column], minor)
	}
	return c.err
}

// net lets credits settle the buckets, the oldest first.
func net(row aging.Row) (buckets []int64, unapplied int64) {
	buckets, unapplied = slices.Clone(row.Buckets), row.Unapplied
	for column := len(buckets) - 1; column >= 0; column-- {
		settled := min(max(buckets[column], 0), max(-unapplied, 0))
		buckets[column] -= settled
		unapplied += settled
	}
	return buckets, unapplied
}

func (c *calculation) segment(customer uint64) (int, error) {
	if c.SegmentOf == nil {
		return 0, nil
	}
	name, err := c.SegmentOf(customer)
	if err != nil {
		return 0, err
	}
	at := slices.IndexFunc(c.Segments, func(s Segment) bool { return s.Name == name })
	if at < 0 {
		return 0, &Error{"segment", name, fmt.Sprintf("add it to the matrix; customer %d is of it", customer), ErrSegment}
	}
	return at, nil
}

func (c *calculation) assess(customer uint64, buckets []int64, a Assessment) error {
	line := AssessedLine{Customer: customer, Name: c.name(customer), Assessment: a}
	for _, minor := range buckets {
		line.Gross = c.plus(line.Gross, minor)
	}
	if a.Loss < 0 || a.Loss > max(line.Gross, 0) {
		return &Error{"assessed loss of " + line.Name, money.Amount{Minor: a.Loss, Currency: c.Currency}.String(),
			"give a loss from 0 to the " + money.Amount{Minor: line.Gross, Currency: c.Currency}.String() + " that are open", ErrAssessment}
	}
	c.paper.Assessed = append(c.paper.Assessed, line)
	return c.err
}

func (c *calculation) name(customer uint64) string {
	if c.Name != nil {
		return c.Name(customer)
	}
	return fmt.Sprint(customer)
}

// plus adds and remembers an overflow.
func (c *calculation) plus(a, b int64) int64 {
	sum, fits := money.AddMinor(a, b)
	if !fits && c.err == nil {
		c.err = &Error{"sum", fmt.Sprintf("%d + %d", a, b), "split the book: amounts must fit 64 bits of minor units", money.ErrOverflow}
	}
	return sum
}

func (c *calculation) finish() (Workpaper, error) {
	for i, s := range c.Segments {
		for column, rate := range s.applied() {
			line := Line{Segment: s.Name, Column: column, Gross: c.gross[i][column], Rate: rate}
			loss, err := money.Amount{Minor: max(line.Gross, 0), Currency: c.Currency}.MulDiv(uint64(rate), uint64(Certain))
			if err != nil {
				return Workpaper{}, err
			}
			line.Allowance = loss.Minor
			c.paper.Lines = append(c.paper.Lines, line)
			c.paper.Allowance = c.plus(c.paper.Allowance, line.Allowance)
		}
	}
	for _, a := range c.paper.Assessed {
		c.paper.Allowance = c.plus(c.paper.Allowance, a.Loss)
	}
	m := c.paper.Movement
	before := c.plus(c.plus(m.Opening, -m.WrittenOff), m.Recovered)
	c.paper.Charge = c.plus(c.paper.Allowance, -before)
	if err := c.checkAssessed(); err != nil {
		return Workpaper{}, err
	}
	return c.paper, c.err
}

// checkAssessed refuses a loss of a customer that owes nothing: the assessment is stale.
func (c *calculation) checkAssessed() error {
	if len(c.paper.Assessed) == len(c.Assessed) {
		return nil
	}
	for _, customer := range slices.Sorted(maps.Keys(c.Assessed)) {
		found := slices.ContainsFunc(c.paper.Assessed, func(a AssessedLine) bool { return a.Customer == customer })
		if a := c.Assessed[customer]; !found && a.Loss != 0 {
			return &Error{"assessed customer", c.name(customer), "remove it: nothing is open", ErrAssessment}
		}
	}
	return nil
}
