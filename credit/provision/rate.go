package provision

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
)

// Rate is a share that is lost, or that rolls on to the next bucket, in millionths.
type Rate int64

// Certain is the rate of what is lost altogether.
const Certain Rate = 1_000_000

// ParseRate reads a rate in percent with at most four digits after the point: "2.5" or
// "2.5%".
func ParseRate(text string) (Rate, error) {
	whole, fraction, _ := strings.Cut(strings.TrimSuffix(text, "%"), ".")
	if whole != "" && len(fraction) <= 4 {
		millionths, err := strconv.ParseUint(whole+fraction+"0000"[len(fraction):], 10, 32)
		if err == nil && millionths <= uint64(Certain) {
			return Rate(millionths), nil
		}
	}
	return 0, &Error{"rate", text, "write a percentage from 0 to 100 with at most four digits after the point", ErrRate}
}

// String returns the rate in percent: "2.5000%".
func (r Rate) String() string {
	sign := ""
	if r < 0 {
		sign, r = "-", -r
	}
	return fmt.Sprintf("%s%d.%04d%%", sign, r/10_000, r%10_000)
}

// MarshalText returns the rate in percent.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what ParseRate reads.
func (r *Rate) UnmarshalText(text []byte) error {
	parsed, err := ParseRate(string(text))
	if err == nil {
		*r = parsed
	}
	return err
}

// times returns the product of two rates, rounded half to even.
func (r Rate) times(other Rate) Rate {
	return rounded(new(big.Int).Mul(big.NewInt(int64(r)), big.NewInt(int64(other))), big.NewInt(int64(Certain)))
}

// rounded returns over ÷ under, rounded half to even.
func rounded(over, under *big.Int) Rate {
	quotient, rest := new(big.Int).DivMod(over, under, new(big.Int))
	if twice := rest.Lsh(rest, 1).Cmp(under); twice > 0 || twice == 0 && quotient.Bit(0) == 1 {
		quotient.Add(quotient, big.NewInt(1))
	}
	return Rate(quotient.Int64())
}

// Experience is what snapshots say of losses.
type Experience struct {
	From, To date.Date // of the first and last snapshot
	Periods  int
	Rolls    []Rate // from each bucket but the last to the next, 迁徙率
	Losses   []Rate // of each bucket: the rolls from it on, times Terminal
	Terminal Rate   // what is lost of the last bucket
}

// widthTolerance is how many days a period may differ from a bucket's width: months have
// 28 to 31 days, and buckets 30.
const widthTolerance = 3

// EstimateRates estimates loss rates from the agings of a segment at regular dates, in
// order of time. The roll rate of a bucket is
//
//	Σ next bucket, one period later ÷ Σ the bucket,
//
// summed over the periods, at most 100 %; into the last bucket rolls its growth and what
// Left it. A bucket that was always empty rolls nothing. Terminal is what is lost of what
// reaches the last bucket. Amounts can only move one bucket in a period when buckets are
// as wide as periods are long: 30 days and months, 365 and years; others are refused.
func EstimateRates(buckets aging.Buckets, snapshots []aging.Snapshot, terminal Rate) (Experience, error) {
	if err := checkSnapshots(buckets, snapshots); err != nil {
		return Experience{}, err
	}
	if terminal < 0 || terminal > Certain {
		return Experience{}, &Error{"terminal", terminal.String(), "give a rate from 0 to 100 %", ErrRate}
	}
	last := buckets.Len() - 1
	e := Experience{
		From: snapshots[0].AsOf, To: snapshots[len(snapshots)-1].AsOf, Periods: len(snapshots) - 1,
		Rolls: make([]Rate, last), Losses: make([]Rate, last+1), Terminal: terminal,
	}
	e.Losses[last] = terminal
	for bucket := last - 1; bucket >= 0; bucket-- {
		stood, rolled := new(big.Int), new(big.Int)
		for i := range e.Periods {
			before, after := snapshots[i], snapshots[i+1]
			stood.Add(stood, big.NewInt(before.Buckets[bucket]))
			rolled.Add(rolled, big.NewInt(after.Buckets[bucket+1]))
			if bucket == last-1 {
				rolled.Sub(rolled, big.NewInt(before.Buckets[last]))
				rolled.Add(rolled, big.NewInt(after.Left))
			}
		}
		e.Rolls[bucket] = rollRate(rolled, stood)
		e.Losses[bucket] = e.Rolls[bucket].times(e.Losses[bucket+1])
	}
	return e, nil
}

func rollRate(rolled, stood *big.Int) Rate {
	if stood.Sign() <= 0 || rolled.Sign() <= 0 {
		return 0
	}
	if rolled.Cmp(stood) >= 0 {
		return Certain
	}
	return rounded(rolled.Mul(rolled, big.NewInt(int64(Certain))), stood)
}

func checkSnapshots(buckets aging.Buckets, snapshots []aging.Snapshot) error {
	if len(snapshots) < 2 {
		return &Error{"snapshots", fmt.Sprint(len(snapshots)), "give at least two agings, a period apart", ErrSnapshots}
	}
	for i, s := range snapshots {
		field := fmt.Sprintf("snapshots[%d]", i)
		if len(s.Buckets) != buckets.Len() {
			return &Error{field + ".Buckets", fmt.Sprint(len(s.Buckets)), fmt.Sprintf("give %d amounts, not due first", buckets.Len()), ErrSnapshots}
		}
		if i == 0 {
			continue
		}
		period := s.AsOf.DaysSince(snapshots[i-1].AsOf)
		if column, width := unlike(buckets, period); column >= 0 {
			return &Error{field + ".AsOf", s.AsOf.String(), fmt.Sprintf(
				"%d days have passed and bucket %s has %d; take agings at intervals as long as buckets are wide", period, buckets.Name(column), width), ErrSnapshots}
		}
	}
	return nil
}

// unlike returns a bucket with both ends that isn't as wide as a period, -1 for none.
func unlike(buckets aging.Buckets, period int) (column, width int) {
	for column := range buckets.Len() {
		least, most, open := buckets.Range(column)
		if open != aging.Neither || least < 1 {
			continue
		}
		width := most - least + 1
		if difference := period - width; difference < -widthTolerance || difference > widthTolerance {
			return column, width
		}
	}
	return -1, 0
}
