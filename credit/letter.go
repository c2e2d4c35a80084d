package credit

import (
	"fmt"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/credit/money"
)

// LetterText is a letter in words, for a template to lay out: the columns of its table and
// the sentences around it. It names nobody; the embedder adds who writes to whom.
type LetterText struct {
	Subject string
	Opening string
	Columns [5]string   // document, document date, due date, days overdue, open amount
	Rows    [][5]string // one for each item
	Totals  []string    // one for each currency
	Closing []string    // what follows, a sentence each
}

// letterWords are a language's sentences.
type letterWords struct {
	subjects []string // by level, the last for all beyond
	openings []string
	columns  [5]string
	total    string
	payBy    string
	fee      string
	hold     string
	terms    string
	ignore   string
}

var letterLanguages = language.NewMatcher([]language.Tag{language.English, language.SimplifiedChinese})

var letterCatalogue = [...]letterWords{{
	subjects: []string{"Payment reminder", "Second payment reminder", "Final demand for payment"},
	openings: []string{
		"On %s the following items were open past their due dates. Perhaps they have escaped your notice.",
		"In spite of our reminder the following items were still open on %s.",
		"The following items were still open on %s, in spite of repeated reminders.",
	},
	columns: [5]string{"Document", "Date", "Due", "Days overdue", "Open"},
	total:   "Total %s",
	payBy:   "Please pay by %s.",
	fee:     "We charge %s for this letter.",
	hold:    "Until then we can't accept or deliver further orders.",
	terms:   "From now on the payment terms %s apply.",
	ignore:  "If you have paid in the meantime, please disregard this letter.",
}, {
	subjects: []string{"付款提醒", "第二次催款通知", "最后催款通知"},
	openings: []string{
		"截至%s，贵方下列款项已逾期，或系疏忽，特此提醒。",
		"经我方提醒，截至%s，贵方下列款项仍未支付。",
		"经我方多次催告，截至%s，贵方下列款项仍未支付。",
	},
	columns: [5]string{"单据号", "单据日期", "到期日", "逾期天数", "未付金额"},
	total:   "合计 %s",
	payBy:   "请于%s前付清。",
	fee:     "本次催款收取费用 %s。",
	hold:    "付清之前，我方暂停接单和发货。",
	terms:   "自即日起付款条件改为 %s。",
	ignore:  "如贵方已付款，请忽略本通知。",
}}

// Text returns the letter in the language that fits best, English or simplified Chinese.
func (l *Letter) Text(in language.Tag) LetterText {
	_, n, _ := letterLanguages.Match(in)
	w := &letterCatalogue[n]
	level := min(int(max(l.Level, 1)), len(w.subjects)) - 1
	t := LetterText{Subject: w.subjects[level], Opening: fmt.Sprintf(w.openings[level], l.Day), Columns: w.columns}
	for _, i := range l.Items {
		t.Rows = append(t.Rows, i.row())
	}
	for _, total := range l.Totals {
		t.Totals = append(t.Totals, fmt.Sprintf(w.total, total))
	}
	t.Closing = l.closing(w)
	return t
}

func (i *LetterItem) row() [5]string {
	document := i.Document
	if i.Instalment > 1 {
		document = fmt.Sprintf("%s/%d", document, i.Instalment)
	}
	return [5]string{document, i.Date.String(), i.Due.String(), fmt.Sprint(i.DaysOverdue), i.Open.String()}
}

func (l *Letter) closing(w *letterWords) (sentences []string) {
	if l.PayBy != 0 {
		sentences = append(sentences, fmt.Sprintf(w.payBy, l.PayBy))
	}
	if l.Fee != (money.Amount{}) {
		sentences = append(sentences, fmt.Sprintf(w.fee, l.Fee))
	}
	if l.Hold {
		sentences = append(sentences, w.hold)
	}
	if l.Terms != "" {
		sentences = append(sentences, fmt.Sprintf(w.terms, l.Terms))
	}
	return append(sentences, w.ignore)
}
