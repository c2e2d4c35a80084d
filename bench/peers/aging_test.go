package main

import (
	"bytes"
	"database/sql"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The rules of examples/aging, written in SQL for SQLite and run on random files: every
// report must have the same rows. SQLite sees the generator's own figures, not the files.
func TestAgingExampleAgreesWithSQL(t *testing.T) {
	program := filepath.Join(t.TempDir(), "aging")
	build := exec.Command("go", "build", "-o", program, "./examples/aging")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	rows := 0
	for seed := range uint64(agingRounds) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			l := newLedger(rand.New(rand.NewPCG(seed, 5)))
			db := l.load(t)
			defer db.Close()
			dir := t.TempDir()
			l.write(t, dir)
			for range 12 {
				rows += compareAging(t, program, dir, db, l.question())
			}
		})
	}
	if rows < 100*agingRounds {
		t.Errorf("%d rows were compared; the files are too small to tell", rows)
	}
	t.Logf("%d rows of %d reports agree", rows, 12*agingRounds)
}

const agingRounds = 25

// ledger is a random set of items, allocations and rates. One in four reaches over three
// centuries.
type ledger struct {
	*rand.Rand
	start                     time.Time
	step                      int // days from one of the generator's days to the next
	long                      bool
	items, allocations, rates [][]string // as in the files
	rows                      []ledgerItem
	pairs                     []ledgerPair
	quotes                    []ledgerQuote
}

type ledgerItem struct {
	item, customer, kind, document, due, currency, recorded string
	minor                                                   int64
}

type ledgerPair struct {
	credit, debit, effective, recorded string
	minor, creditMinor                 int64
}

type ledgerQuote struct {
	date, currency string
	tenThousandths int64
}

var (
	ledgerStart      = time.Date(2023, 11, 20, 0, 0, 0, 0, time.UTC)
	ledgerCurrencies = []string{"CNY", "JPY", "KWD", "USD"}
	ledgerDigits     = map[string]int{"CNY": 2, "JPY": 0, "KWD": 3, "USD": 2}

	// leapDays are the days around February of leap years and of years that are none.
	leapDays = []string{"1900-02-28", "1900-03-01", "1904-02-29", "2000-02-29", "2024-02-29", "2024-03-01", "2096-02-29", "2100-02-28", "2100-03-01"}
)

func newLedger(r *rand.Rand) *ledger {
	l := &ledger{Rand: r, start: ledgerStart, step: 1, long: r.IntN(4) == 0}
	if l.long { // the days from -35 to 485 are of 1900 to 2191
		l.step = 205
		l.start = time.Date(1900, 1, 10+35*l.step, 0, 0, 0, 0, time.UTC)
	}
	huge := r.IntN(4) == 0
	for i := range 5 + r.IntN(120) {
		l.addItem(i, huge)
	}
	for range r.IntN(150) {
		l.addPair()
	}
	for _, c := range ledgerCurrencies {
		for day := range 400 {
			if day == 0 || r.IntN(20) == 0 {
				q := ledgerQuote{l.date(day - 30), c, 1 + r.Int64N(200_000)}
				if c == "CNY" {
					q.tenThousandths = 10_000
				}
				l.quotes = append(l.quotes, q)
				l.rates = append(l.rates, []string{q.date, c, decimalText(q.tenThousandths, 4)})
			}
		}
	}
	r.Shuffle(len(l.items), func(i, j int) { l.items[i], l.items[j] = l.items[j], l.items[i] })
	r.Shuffle(len(l.allocations), func(i, j int) { l.allocations[i], l.allocations[j] = l.allocations[j], l.allocations[i] })
	r.Shuffle(len(l.rates), func(i, j int) { l.rates[i], l.rates[j] = l.rates[j], l.rates[i] })
	return l
}

func (l *ledger) date(day int) string {
	return l.start.AddDate(0, 0, day*l.step).Format(time.DateOnly)
}

// documentDate is mostly that of a day.
func (l *ledger) documentDate(day int) string {
	if l.long && l.IntN(6) == 0 {
		return leapDays[l.IntN(len(leapDays))]
	}
	return l.date(day)
}

// time returns a moment some days later, in one of the ways in which times are written.
func (l *ledger) time(day int) string {
	at := l.start.AddDate(0, 0, day*l.step).Add(time.Duration(l.IntN(86400)) * time.Second)
	switch l.IntN(5) {
	case 0:
		return at.Format(time.DateTime)
	case 1:
		return at.In(time.FixedZone("", 8*3600)).Format(time.RFC3339)
	case 2:
		return at.In(time.FixedZone("", -5*3600-1800)).Format("2006-01-02T15:04:05.000Z07:00")
	case 3:
		return at.Format(time.DateOnly)
	}
	return at.Format(time.RFC3339)
}

func decimalText(minor int64, digits int) string {
	text := fmt.Sprintf("%0*d", digits+1, minor)
	if digits == 0 {
		return text
	}
	return text[:len(text)-digits] + "." + text[len(text)-digits:]
}

func (l *ledger) addItem(n int, huge bool) {
	customers := []string{"C1", "C10", "C2", "客户甲", `Smith "Bob", Ltd`, "two\nlines", "c1", "a b", "é"}
	i := ledgerItem{
		item: fmt.Sprintf("I-%d", n), customer: customers[l.IntN(len(customers))],
		kind:     []string{"invoice", "invoice", "invoice", "credit_note", "payment"}[l.IntN(5)],
		currency: ledgerCurrencies[l.IntN(4)], minor: 1 + l.Int64N(2_000_000),
	}
	if l.IntN(20) == 0 {
		i.minor = 0
	}
	if huge {
		i.minor = 1e15 + l.Int64N(1e13) // a million million with three digits
	}
	day := l.IntN(365)
	i.document, i.recorded = l.documentDate(day), l.time(day+l.IntN(3)*l.IntN(20))
	if l.IntN(5) > 0 {
		i.due = l.date(day + []int{0, 30, 60, l.IntN(120), -5}[l.IntN(5)])
	}
	if l.IntN(10) == 0 {
		i.item += ",\"x\""
	}
	l.rows = append(l.rows, i)
	l.items = append(l.items, []string{i.item, i.customer, i.kind, i.document, i.due, i.currency, decimalText(i.minor, ledgerDigits[i.currency]), i.recorded})
}

func (l *ledger) addPair() {
	credit, debit := l.rows[l.IntN(len(l.rows))], l.rows[l.IntN(len(l.rows))]
	if credit.kind == "invoice" || debit.kind != "invoice" || credit.minor == 0 || debit.minor == 0 {
		return
	}
	day := l.IntN(400)
	p := ledgerPair{credit: credit.item, debit: debit.item, effective: l.date(day), recorded: l.time(day + l.IntN(3)*l.IntN(20))}
	p.minor = 1 + l.Int64N(debit.minor)
	p.creditMinor = p.minor
	cells := []string{p.credit, p.debit, decimalText(p.minor, ledgerDigits[debit.currency]), p.effective, p.recorded, ""}
	if credit.currency != debit.currency {
		p.creditMinor = 1 + l.Int64N(credit.minor)
		cells[5] = decimalText(p.creditMinor, ledgerDigits[credit.currency])
	}
	l.pairs = append(l.pairs, p)
	l.allocations = append(l.allocations, cells)
}

// load fills a database in memory.
func (l *ledger) load(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	run := func(statement string, args ...any) {
		if _, err := db.Exec(statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	run(`CREATE TABLE item (item, customer, kind, document, due, currency, recorded, minor INTEGER)`)
	run(`CREATE TABLE allocation (credit, debit, effective, recorded, minor INTEGER, credit_minor INTEGER)`)
	run(`CREATE TABLE rate (date, currency, rate INTEGER)`)
	run(`CREATE TABLE digits (currency, unit INTEGER)`)
	for c, unit := range map[string]int{"CNY": 100, "USD": 100, "JPY": 1, "KWD": 1000} {
		run(`INSERT INTO digits VALUES (?, ?)`, c, unit)
	}
	for _, i := range l.rows {
		run(`INSERT INTO item VALUES (?, ?, ?, ?, ?, ?, date(?), ?)`, i.item, i.customer, i.kind, i.document, i.due, i.currency, i.recorded, i.minor)
	}
	for _, p := range l.pairs {
		run(`INSERT INTO allocation VALUES (?, ?, ?, date(?), ?, ?)`, p.credit, p.debit, p.effective, p.recorded, p.minor, p.creditMinor)
	}
	for _, q := range l.quotes {
		run(`INSERT INTO rate VALUES (?, ?, ?)`, q.date, q.currency, q.tenThousandths)
	}
	return db
}

// write writes the files, now and then with a BOM, lines ending in \r\n, blank lines, columns
// that nobody asked for, and in any order of columns.
func (l *ledger) write(t *testing.T, dir string) {
	t.Helper()
	for name, rows := range map[string][][]string{
		"items.csv":       append([][]string{{"item", "customer", "kind", "document_date", "due_date", "currency", "amount", "recorded_at"}}, l.items...),
		"allocations.csv": append([][]string{{"credit_item", "debit_item", "amount", "effective_date", "recorded_at", "credit_amount"}}, l.allocations...),
		"rates.csv":       append([][]string{{"date", "currency", "rate"}}, l.rates...),
	} {
		var out bytes.Buffer
		if l.IntN(3) == 0 {
			out.WriteString("\xef\xbb\xbf")
		}
		w := csv.NewWriter(&out)
		w.UseCRLF = l.IntN(2) == 0 && name != "items.csv" // it would change names of two lines
		more := l.IntN(3)
		columns := l.Perm(len(rows[0]) + more)
		for n, row := range rows {
			for range more {
				row = append(row[:len(row):len(row)], l.unasked(n, len(row)))
			}
			moved := make([]string, len(row))
			for i, at := range columns {
				moved[i] = row[at]
			}
			if n > 0 && l.IntN(50) == 0 {
				w.Flush()
				out.WriteByte('\n')
			}
			if err := w.Write(moved); err != nil {
				t.Fatal(err)
			}
		}
		w.Flush()
		if err := os.WriteFile(filepath.Join(dir, name), out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// unasked is a field of a column that nobody asked for, or its name.
func (l *ledger) unasked(row, column int) string {
	if row == 0 {
		return fmt.Sprint("Remark ", column)
	}
	return []string{"", "x", `"quoted", and more`, "备注", "-1.5"}[l.IntN(5)]
}

// agingQuestion is what a report is asked for.
type agingQuestion struct {
	asOf, knownOn, by, base string
	bounds                  []int
	fifo                    bool
}

func (l *ledger) question() agingQuestion {
	q := agingQuestion{asOf: l.date(l.IntN(420)), by: []string{"due", "document"}[l.IntN(2)], fifo: l.IntN(3) == 0}
	q.bounds = [][]int{{30, 60, 90}, {15, 45}, {1}, {10, 20, 30, 180, 360}, {30, 3650, 36500}}[l.IntN(5)]
	if l.IntN(2) == 0 {
		q.knownOn = l.date(l.IntN(420))
	}
	if l.IntN(2) == 0 && l.rows[0].minor < 1e10 {
		q.base = "CNY"
	}
	return q
}

func (q agingQuestion) args(dir string) []string {
	bounds := strings.Trim(strings.ReplaceAll(fmt.Sprint(q.bounds), " ", ","), "[]")
	args := []string{"-items", filepath.Join(dir, "items.csv"), "-allocations", filepath.Join(dir, "allocations.csv"),
		"-as-of", q.asOf, "-by", q.by, "-buckets", bounds, "-format", "csv"}
	if q.knownOn != "" {
		args = append(args, "-known-on", q.knownOn)
	}
	if q.base != "" {
		args = append(args, "-currency", "base", "-base", q.base, "-rates", filepath.Join(dir, "rates.csv"))
	}
	if q.fifo {
		args = append(args, "-fifo")
	}
	return args
}

func compareAging(t *testing.T, program, dir string, db *sql.DB, q agingQuestion) (compared int) {
	t.Helper()
	command := exec.Command(program, q.args(dir)...)
	var messages bytes.Buffer
	command.Stderr = &messages
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %v: %s", command.Args, err, &messages)
	}
	want := q.sql(t, db)
	compared += strings.Count(want, "\n") - 1
	if string(out) != want {
		t.Errorf("%v\ngot\n%s\nSQL says\n%s", command.Args, out, want)
	}
	return compared
}

// sql answers the question in SQL and writes the answer as the program must.
func (q agingQuestion) sql(t *testing.T, db *sql.DB) string {
	t.Helper()
	rows, err := db.Query(q.statement(), sql.Named("asof", q.asOf), sql.Named("known", q.knownOn), sql.Named("base", q.base))
	if err != nil {
		t.Fatalf("%s\n%v", q.statement(), err)
	}
	defer rows.Close()
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	header := []string{"customer", "currency", "not_due"}
	for i, bound := range q.bounds {
		from := 1
		if i > 0 {
			from = q.bounds[i-1] + 1
		}
		header = append(header, fmt.Sprintf("d%d_%d", from, bound))
	}
	header = append(header, fmt.Sprintf("d%d_plus", q.bounds[len(q.bounds)-1]), "unapplied", "balance")
	_ = w.Write(header)
	for rows.Next() {
		var customer, currency string
		amounts := make([]int64, len(q.bounds)+4)
		to := []any{&customer, &currency}
		for i := range amounts {
			to = append(to, &amounts[i])
		}
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		line := []string{customer, currency}
		for _, minor := range amounts {
			text := decimalText(max(minor, -minor), ledgerDigits[currency])
			if minor < 0 {
				text = "-" + text
			}
			line = append(line, text)
		}
		_ = w.Write(line)
	}
	w.Flush()
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// statement returns the rules in SQL. open has what is open of each item, flat its bucket:
// -1 for credits, 0 for not due, then 1 and so on.
func (q agingQuestion) statement() string {
	open := `SELECT i.item, i.customer, i.currency, i.kind, i.document, i.due,
		i.minor - COALESCE((SELECT SUM(CASE WHEN i.kind = 'invoice' THEN a.minor ELSE a.credit_minor END) FROM counting_allocation a WHERE i.item = CASE WHEN i.kind = 'invoice' THEN a.debit ELSE a.credit END), 0) AS minor
		FROM counting i`
	if q.fifo {
		open = `SELECT item, customer, currency, kind, document, due,
			CASE WHEN kind = 'invoice'
			THEN MAX(0, MIN(minor, SUM(CASE WHEN kind = 'invoice' THEN minor ELSE 0 END) OVER oldest - SUM(CASE WHEN kind <> 'invoice' THEN minor ELSE 0 END) OVER everything))
			ELSE 0 END AS minor
			FROM counting
			WINDOW oldest AS (PARTITION BY customer, currency ORDER BY kind <> 'invoice', due, document, item ROWS UNBOUNDED PRECEDING),
				everything AS (PARTITION BY customer, currency)
			UNION ALL
			SELECT '', customer, currency, 'payment', '', '',
			MAX(0, SUM(CASE WHEN kind = 'invoice' THEN -minor ELSE minor END)) FROM counting GROUP BY customer, currency`
	}
	days := "julianday(:asof) - julianday(due)"
	if q.by == "document" {
		days = "MAX(1, julianday(:asof) - julianday(document))"
	}
	bucket := "CASE WHEN kind <> 'invoice' THEN -1 WHEN " + days + " <= 0 THEN 0"
	for i, bound := range q.bounds {
		bucket += fmt.Sprintf(" WHEN %s <= %d THEN %d", days, bound, i+1)
	}
	bucket += fmt.Sprintf(" ELSE %d END", len(q.bounds)+1)
	var sums, total []string
	for i := range len(q.bounds) + 2 {
		sums = append(sums, fmt.Sprintf("SUM(CASE WHEN bucket = %d THEN minor ELSE 0 END) AS b%d", i, i))
		total = append(total, fmt.Sprintf("b%d", i))
	}
	sums = append(sums, "-SUM(CASE WHEN bucket = -1 THEN minor ELSE 0 END) AS unapplied")
	total = append(total, "unapplied")
	statement := `WITH counting AS (
		SELECT item, customer, currency, kind, document, CASE WHEN due = '' THEN document ELSE due END AS due, minor FROM item
		WHERE document <= :asof AND (:known = '' OR recorded <= :known)),
	counting_allocation AS (
		SELECT a.* FROM allocation a JOIN counting c ON c.item = a.credit JOIN counting d ON d.item = a.debit
		WHERE a.effective <= :asof AND (:known = '' OR a.recorded <= :known)),
	open AS (` + open + `),
	flat AS (SELECT customer, currency, ` + bucket + ` AS bucket, minor FROM open),
	report AS (SELECT customer, currency, ` + strings.Join(sums, ", ") + ` FROM flat GROUP BY customer, currency)`
	if q.base != "" {
		statement += q.converted(total)
	} else {
		statement += "\nSELECT customer, currency, " + strings.Join(total, ", ") + ", " + strings.Join(total, " + ") + " FROM report"
	}
	return statement + " WHERE " + strings.Join(total, " <> 0 OR ") + " <> 0 ORDER BY CAST(customer AS BLOB), currency"
}

// converted converts each amount by the latest rate, in ten-thousandths, half to even.
func (q agingQuestion) converted(columns []string) string {
	var each, sums []string
	for _, c := range columns {
		// minor × rate × 100 ÷ (10000 × unit): CNY has hundredths
		each = append(each, fmt.Sprintf("(CASE WHEN %[1]s < 0 THEN -1 ELSE 1 END) * (ABS(%[1]s) * rate / d + (ABS(%[1]s) * rate %% d * 2 > d OR ABS(%[1]s) * rate %% d * 2 = d AND ABS(%[1]s) * rate / d %% 2 = 1)) AS %[1]s", c))
		sums = append(sums, fmt.Sprintf("SUM(%[1]s) AS %[1]s", c))
	}
	return `, rated AS (SELECT report.*, 100 * unit AS d,
		(SELECT rate FROM rate WHERE rate.currency = report.currency AND date <= :asof ORDER BY date DESC LIMIT 1) AS rate
		FROM report JOIN digits USING (currency)),
	converted AS (SELECT customer, ` + strings.Join(each, ", ") + ` FROM rated),
	based AS (SELECT customer, :base AS currency, ` + strings.Join(sums, ", ") + ` FROM converted GROUP BY customer)
	SELECT customer, currency, ` + strings.Join(columns, ", ") + ", " + strings.Join(columns, " + ") + " FROM based"
}
