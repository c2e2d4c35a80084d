package provision_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/credit/provision"
)

func day(text string) date.Date {
	d, err := date.Parse(text)
	if err != nil {
		panic(err)
	}
	return d
}

func buckets(bounds ...int) aging.Buckets {
	b, err := aging.NewBuckets(bounds...)
	if err != nil {
		panic(err)
	}
	return b
}

// Three monthly agings: not due, 1–30, more than 30 days.
//
//	not due → 1–30: (200 + 300) ÷ (1000 + 1000) = 25 %
//	1–30 → more:    (60 − 50 + 30) + (80 − 60 + 20) = 80, ÷ (100 + 200) = 26.6667 %
//	lost of more than 30 days: 60 %
//	so lost of 1–30: 16 %, of what isn't due: 4 %
func snapshots() []aging.Snapshot {
	return []aging.Snapshot{
		{AsOf: day("2024-01-31"), Buckets: []int64{1000, 100, 50}},
		{AsOf: day("2024-02-29"), Buckets: []int64{1000, 200, 60}, Left: 30},
		{AsOf: day("2024-03-31"), Buckets: []int64{5000, 300, 80}, Left: 20},
	}
}

const sixty provision.Rate = 600_000

// A small book: rates from three agings, a forward factor of 1.25, and one customer in
// insolvency that is assessed on its own.
func Example() {
	b := buckets(30)
	experience, err := provision.EstimateRates(b, snapshots(), sixty)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("rolls", experience.Rolls, "losses", experience.Losses)

	sums := aging.NewAccumulator(aging.Scheme{AsOf: day("2024-03-31"), Buckets: b})
	account := sums.Account(1, money.CNY)
	sums.Add(account, 0, 1_000_000)
	sums.Add(account, 1, 50_000)
	insolvent := sums.Account(2, money.CNY)
	sums.Add(insolvent, 2, 80_000)

	matrix := provision.Matrix{
		AsOf: day("2024-03-31"), Buckets: b, Currency: money.CNY,
		Segments: []provision.Segment{{Name: "all", Losses: experience.Losses, Forward: money.Rate{Coefficient: 125, Scale: 2}, Experience: &experience}},
		Assessed: map[uint64]provision.Assessment{2: {Loss: 72_000, Reason: "insolvency, 10 % expected"}},
	}
	paper, err := matrix.Allowance(sums.Rows(), provision.Movement{Opening: 100_000, WrittenOff: 10_000})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := paper.WriteCSV(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// rolls [25.0000% 26.6667%] losses [4.0000% 16.0000% 60.0000%]
	// section,segment,bucket,customer,gross,rate,allowance,reason
	// matrix,all,not_due,,10000.00,5.0000%,500.00,
	// matrix,all,d1_30,,500.00,20.0000%,100.00,
	// matrix,all,d30_plus,,0.00,75.0000%,0.00,
	// assessed,,,2,800.00,,720.00,"insolvency, 10 % expected"
	// unapplied,,,,0.00,,,
	// total,,,,11300.00,,1320.00,
	// movement,opening,,,,,1000.00,
	// movement,written_off,,,,,-100.00,
	// movement,recovered,,,,,0.00,
	// movement,charge,,,,,420.00,
}

func TestRollRatesStayBetweenNothingAndAll(t *testing.T) {
	list := snapshots()
	list[1].Buckets[1], list[1].Buckets[2], list[1].Left = 5000, 0, 0 // more than stood before
	list[2].Buckets[2], list[2].Left = 0, 0                           // nothing reaches the end
	e, err := provision.EstimateRates(buckets(30), list, provision.Certain)
	if err != nil || fmt.Sprint(e.Rolls, e.Losses) != "[100.0000% 0.0000%] [0.0000% 0.0000% 100.0000%]" {
		t.Errorf("%v %v %v", e.Rolls, e.Losses, err)
	}
	for i := range list {
		list[i].Buckets = []int64{0, 0, 10}
	}
	if e, err = provision.EstimateRates(buckets(30), list, provision.Certain); err != nil || e.Losses[0] != 0 {
		t.Errorf("empty buckets: %v, %v", e.Losses, err)
	}
	if e.Periods != 2 || e.From != day("2024-01-31") || e.To != day("2024-03-31") {
		t.Errorf("%+v", e)
	}
}

func TestSnapshotsMustFitTheBuckets(t *testing.T) {
	long := snapshots()
	long[2].AsOf = day("2024-06-30")
	short := snapshots()
	short[1].Buckets = short[1].Buckets[:2]
	for name, c := range map[string]struct {
		buckets   aging.Buckets
		snapshots []aging.Snapshot
		terminal  provision.Rate
		want      error
	}{
		"one":            {buckets(30), snapshots()[:1], sixty, provision.ErrSnapshots},
		"wide buckets":   {buckets(60), snapshots(), sixty, provision.ErrSnapshots},
		"uneven buckets": {buckets(30, 90), []aging.Snapshot{{AsOf: 1, Buckets: make([]int64, 4)}, {AsOf: 31, Buckets: make([]int64, 4)}}, sixty, provision.ErrSnapshots},
		"a gap":          {buckets(30), long, sixty, provision.ErrSnapshots},
		"out of order":   {buckets(30), []aging.Snapshot{snapshots()[1], snapshots()[0]}, sixty, provision.ErrSnapshots},
		"a bucket less":  {buckets(30), short, sixty, provision.ErrSnapshots},
		"more than all":  {buckets(30), snapshots(), provision.Certain + 1, provision.ErrRate},
	} {
		if _, err := provision.EstimateRates(c.buckets, c.snapshots, c.terminal); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Years and buckets of 365 days, 366 in a leap year.
	years := []aging.Snapshot{{AsOf: day("2023-12-31"), Buckets: []int64{1, 100, 10}}, {AsOf: day("2024-12-31"), Buckets: []int64{1, 1, 15}}}
	e, err := provision.EstimateRates(buckets(365), years, provision.Certain)
	if err != nil || e.Rolls[1] != 50_000 { // (15 − 10) ÷ 100
		t.Errorf("%v %v", e, err)
	}
}

// matrix has two segments, of which the second loses half of everything.
func matrix() provision.Matrix {
	return provision.Matrix{
		AsOf: day("2024-03-31"), Buckets: buckets(30), Currency: money.CNY,
		Segments: []provision.Segment{
			{Name: "home", Losses: []provision.Rate{10_000, 100_000, 500_000}}, // 1, 10, 50 %
			{Name: "abroad", Losses: []provision.Rate{500_000, 500_000, 500_000}, Forward: money.Rate{Coefficient: 3}},
		},
		SegmentOf: func(customer uint64) (string, error) {
			return []string{"home", "abroad", "moon"}[customer%3], nil
		},
	}
}

// add makes sums of rows: customer, amounts by bucket, unapplied.
func add(rows ...[]int64) *aging.Accumulator {
	sums := aging.NewAccumulator(aging.Scheme{AsOf: day("2024-03-31"), Buckets: buckets(30)})
	for _, row := range rows {
		account := sums.Account(uint64(row[0]), money.CNY)
		for column, minor := range row[1:] {
			sums.Add(account, column, minor)
		}
	}
	return sums
}

// Customers 3 and 6 are at home: 300 + 1 not due at 1 % give 3.01 → 3; 10 at 10 % 1; 70 at
// 50 % 35. Customer 1 is abroad, where three times a half is all: 40. Together 79. What
// was used of the 100 of before, less 5 recovered: the charge is 79 − (100 − 30 + 5) = 4.
func TestAllowanceBySegment(t *testing.T) {
	sums := add([]int64{3, 300, 0, 70, -20}, []int64{6, 1, 10, 0, 0}, []int64{1, 40, 0, 0, 0})
	paper, err := matrix().Allowance(sums.Rows(), provision.Movement{Opening: 100, WrittenOff: 30, Recovered: 5})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, l := range paper.Lines {
		lines = append(lines, fmt.Sprint(l.Segment, l.Column, " ", l.Gross, " ", l.Allowance))
	}
	if got := fmt.Sprint(lines); got != "[home0 301 3 home1 10 1 home2 70 35 abroad0 40 40 abroad1 0 0 abroad2 0 0]" {
		t.Error(got)
	}
	if paper.Allowance != 79 || paper.Charge != 4 || paper.Balance != 401 || paper.Unapplied != -20 {
		t.Errorf("%+v", paper)
	}

	// Netted, the 20 lessen what is oldest: 50 at 50 %.
	m := matrix()
	m.NetUnapplied = true
	paper, err = m.Allowance(sums.Rows(), provision.Movement{})
	if err != nil || paper.Lines[2].Gross != 50 || paper.Allowance != 69 || paper.Unapplied != 0 || paper.Balance != 401 {
		t.Errorf("netted: %+v, %v", paper, err)
	}
}

func TestAssessedCustomersAreLeftOutOfTheMatrix(t *testing.T) {
	m := matrix()
	m.Name = func(customer uint64) string { return fmt.Sprintf("C%d", customer) }
	sums := add([]int64{3, 100, 0, 100, 0}, []int64{6, 0, 0, 1000, -1})
	m.Assessed = map[uint64]provision.Assessment{6: {Loss: 900, Reason: "insolvency"}, 9: {}}
	paper, err := m.Allowance(sums.Rows(), provision.Movement{})
	if err != nil || paper.Allowance != 951 || len(paper.Assessed) != 1 || paper.Assessed[0].Name != "C6" || paper.Assessed[0].Gross != 1000 {
		t.Errorf("%+v, %v", paper, err) // 1 + 50 + 900
	}
	for name, a := range map[string]map[uint64]provision.Assessment{
		"more than is owed": {6: {Loss: 1001}}, "negative": {6: {Loss: -1}}, "of who owes nothing": {9: {Loss: 1}},
	} {
		m.Assessed = a
		if _, err := m.Allowance(sums.Rows(), provision.Movement{}); !errors.Is(err, provision.ErrAssessment) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatDoesNotFitTheMatrixIsRefused(t *testing.T) {
	yen := aging.NewAccumulator(aging.Scheme{Buckets: buckets(30)})
	yen.Add(yen.Account(3, money.JPY), 0, 1)
	other := aging.NewAccumulator(aging.Scheme{Buckets: buckets(30, 60)})
	other.Add(other.Account(3, money.CNY), 0, 1)
	huge := add([]int64{3, 1 << 62, 0, 0, 0}, []int64{6, 1 << 62, 0, 0, 0})
	for name, c := range map[string]struct {
		sums *aging.Accumulator
		want error
	}{
		"currency": {yen, provision.ErrRow}, "buckets": {other, provision.ErrRow},
		"segment": {add([]int64{2, 1, 0, 0, 0}), provision.ErrSegment}, "overflow": {huge, money.ErrOverflow},
	} {
		if _, err := matrix().Allowance(c.sums.Rows(), provision.Movement{}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, m := range map[string]provision.Matrix{
		"no segment": {}, "few rates": {Segments: []provision.Segment{{}}},
		"a rate of more than all": {Segments: []provision.Segment{{Losses: []provision.Rate{provision.Certain + 1, 0}}}},
	} {
		if _, err := m.Allowance(add().Rows(), provision.Movement{}); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestRates(t *testing.T) {
	for text, want := range map[string]provision.Rate{"0": 0, "0.0": 0, "2.5": 25_000, "2.5%": 25_000, "100": provision.Certain, "0.0001%": 1, "99.9999": 999_999} {
		var r provision.Rate
		if err := r.UnmarshalText([]byte(text)); err != nil || r != want {
			t.Errorf("%q is %d, %v; want %d", text, r, err, want)
		}
		if again, err := provision.ParseRate(want.String()); err != nil || again != want {
			t.Errorf("%s is %d, %v", want, again, err)
		}
	}
	for _, bad := range []string{"", "%", ".5", "-1", "+1", "100.0001", "1.00001", "1e2", "x", "99999999999999999999"} {
		if r, err := provision.ParseRate(bad); !errors.Is(err, provision.ErrRate) {
			t.Errorf("%q is %v, %v", bad, r, err)
		}
	}
}

func TestWorkbookHasTheFiguresOfTheCSV(t *testing.T) {
	experience, err := provision.EstimateRates(buckets(30), snapshots(), sixty)
	if err != nil {
		t.Fatal(err)
	}
	m := matrix()
	m.Segments[0].Experience = &experience
	m.Assessed = map[uint64]provision.Assessment{6: {Loss: 5, Reason: "破产清算"}}
	paper, err := m.Allowance(add([]int64{3, 123_456, 0, 70, 0}, []int64{6, 0, 10, 0, 0}, []int64{1, 1e17, 0, 0, 0}).Rows(), provision.Movement{})
	if err != nil {
		t.Fatal(err)
	}
	var text, workbook bytes.Buffer
	if err := paper.WriteCSV(&text); err != nil {
		t.Fatal(err)
	}
	if err := paper.WriteXLSX(&workbook, language.Chinese); err != nil {
		t.Fatal(err)
	}
	file, err := excelize.OpenReader(&workbook)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if got := file.GetSheetList(); !reflect.DeepEqual(got, []string{"汇总", "准备矩阵", "单项计提", "迁徙率"}) {
		t.Errorf("sheets %v", got)
	}
	rows, err := file.GetRows("准备矩阵")
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(&text).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range records[1:7] {
		row := rows[i+1]
		gross, allowance := strings.ReplaceAll(row[2], ",", ""), strings.ReplaceAll(row[6], ",", "")
		if row[0] != line[1] || row[1] != line[2] || gross != line[4] || row[5] != line[5] || allowance != line[6] {
			t.Errorf("workbook %v, CSV %v", row, line)
		}
	}
	if reason, err := file.GetCellValue("单项计提", "D2"); err != nil || reason != "破产清算" {
		t.Errorf("%q %v", reason, err)
	}
	if roll, err := file.GetCellValue("迁徙率", "C2"); err != nil || roll != "25.0000%" {
		t.Errorf("%q %v", roll, err)
	}
}
