package aging

import (
	"fmt"
	"strconv"

	"golang.org/x/text/language"
)

// words are a report's texts in one language.
type words struct {
	language                                       string // for HTML
	title, customer, currency                      string
	notDue, overdue, moreThan, days                string // columns
	dueIn, dueAfter                                string
	unapplied, balance, total                      string
	asOf, knownOn, byDue, byDocument, inBase, fifo string
	none                                           string
}

var english = words{
	language: "en", title: "Receivables aging", customer: "Customer", currency: "Currency",
	notDue: "Not due", overdue: "Overdue", moreThan: "Over %d days", days: "%d–%d days",
	dueIn: "Due in %d–%d days", dueAfter: "Due after %d days",
	unapplied: "Unapplied", balance: "Balance", total: "Total",
	asOf: "as of %s", knownOn: "as known on %s", byDue: "by due date", byDocument: "by document date", inBase: "in %s",
	fifo: "simulation: credits settle the oldest debits first (FIFO); recorded allocations are ignored",
	none: "Nothing is open.",
}

var chinese = words{
	language: "zh-Hans", title: "应收账款账龄分析", customer: "客户", currency: "币种",
	notDue: "未到期", overdue: "已逾期", moreThan: "%d天以上", days: "%d–%d天",
	dueIn: "%d–%d天内到期", dueAfter: "%d天后到期",
	unapplied: "未核销", balance: "余额", total: "合计",
	asOf: "截至%s", knownOn: "按%s已知", byDue: "按到期日", byDocument: "按单据日期", inBase: "折算为%s",
	fifo: "模拟：收款按先进先出冲抵最早的应收，不按已登记的核销",
	none: "没有未清项。",
}

func wordsIn(tag language.Tag) words {
	if base, _ := tag.Base(); base.String() == "zh" {
		return chinese
	}
	return english
}

func (w words) by(given string) string {
	if given == "" {
		return w.customer
	}
	return given
}

// column is the heading of a bucket.
func (w words) column(b Buckets, column int) string {
	least, most, open := b.Range(column)
	switch {
	case open == AtMost && least == 1:
		return w.overdue
	case open == AtMost:
		return fmt.Sprintf(w.moreThan, least-1)
	case open == AtLeast && b.future == 0:
		return w.notDue
	case open == AtLeast:
		return fmt.Sprintf(w.dueAfter, -most-1)
	case least < 1:
		return fmt.Sprintf(w.dueIn, -most, -least)
	}
	return fmt.Sprintf(w.days, least, most)
}

// headings are those of a table's columns.
func (w words) headings(t Table) []string {
	list := []string{w.by(t.By), w.currency}
	for column := range t.Scheme.Buckets.Len() {
		list = append(list, w.column(t.Scheme.Buckets, column))
	}
	return append(list, w.unapplied, w.balance)
}

// heading says what a report shows.
func (w words) heading(t Table) []string {
	parts := []string{fmt.Sprintf(w.asOf, t.Scheme.AsOf)}
	if !t.KnownOn.IsZero() {
		parts = append(parts, fmt.Sprintf(w.knownOn, t.KnownOn))
	}
	if t.Scheme.Basis == ByDocument {
		parts = append(parts, w.byDocument)
	} else {
		parts = append(parts, w.byDue)
	}
	if t.Base != 0 {
		parts = append(parts, fmt.Sprintf(w.inBase, t.Base))
	}
	return parts
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }
