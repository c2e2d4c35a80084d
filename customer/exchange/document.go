package exchange

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"

	"golang.org/x/text/width"
)

// Document is a receivable of a file: an invoice, a payment, an opening balance.
type Document struct {
	Key      string // unique in the book
	Customer customer.ID
	Kind     string // as package credit names kinds: "invoice", "payment", "adjustment", …
	Credit   bool   // side of an adjustment: what the customer is owed
	Date     date.Date
	Due      date.Date    // none is by the terms of the caller, or Date
	Amount   money.Amount // positive
	// Reference and Note are free texts.
	Reference, Note string
}

// DocumentReader tells of posted documents.
type DocumentReader interface {
	// Standing tells why a document can't be taken back, empty if it can.
	Standing(item uint64) (reason string, err error)
}

// Documents posts documents within a transaction. The root package makes one of package
// credit.
type Documents interface {
	DocumentReader
	// Post posts a document and returns its item. fresh is false if it is posted already.
	Post(Document) (item uint64, fresh bool, err error)
	// Reverse takes a document back by another one with a key.
	Reverse(item uint64, key string) error
}

// documentRows reads receivables and opening balances.
type documentRows struct{ balances bool }

var documentFields = []plainField{
	{DocumentNumber, []string{"document no", "document", "document number", "invoice no", "invoice number", "invoice", "voucher no", "reference no", "bill no",
		"单据编号", "单据号", "单据号码", "发票号", "发票号码", "发票编号", "凭证号", "凭证字号", "单号", "应收单号", "收款单号"}},
	{DocumentKind, []string{"document type", "document kind", "type", "transaction type", "kind", "单据类型", "类型", "业务类型", "单据种类", "单据性质"}},
	{DocumentDay, []string{"document date", "date", "invoice date", "posting date", "as of", "单据日期", "日期", "开票日期", "发票日期", "记账日期", "业务日期", "截止日期", "余额日期"}},
	{Due, []string{"due date", "due", "payment due", "maturity", "到期日", "到期日期", "应收日期", "付款到期日", "应收款日期", "约定付款日"}},
	{Amount, []string{"amount", "total", "open amount", "outstanding", "balance", "opening balance", "amount due", "gross amount",
		"金额", "价税合计", "应收金额", "未收金额", "余额", "期初余额", "应收余额", "期初应收", "欠款", "欠款金额", "借方余额", "期初借方"}},
	{AmountCredit, []string{"credit amount", "credit balance", "prepaid", "贷方余额", "预收余额", "预收金额", "期初贷方", "期初预收", "预收款"}},
	{Currency, []string{"currency", "currency code", "币种", "币别", "货币", "结算币种"}},
	{Reference, []string{"reference", "order no", "order number", "po number", "contract no", "订单号", "销售订单", "合同号", "合同编号", "源单号", "参考号"}},
	{Note, []string{"note", "notes", "remark", "remarks", "memo", "description", "备注", "说明", "摘要"}},
}

func (d documentRows) fields() []plainField { return documentFields }

func (d documentRows) required() [][]Field {
	if d.balances {
		return [][]Field{{Amount, AmountCredit}}
	}
	return [][]Field{{DocumentNumber}, {Amount, AmountCredit}}
}

func (d documentRows) about() bool { return true }

func (d documentRows) put(_ *converter, l *line, column int, f Field, value string) bool {
	switch f {
	case DocumentNumber, DocumentKind, DocumentDay, Due, Amount, AmountCredit, Currency, Reference, Note:
		return l.set(f, column, value)
	}
	return false
}

// documentKinds are the words for kinds of documents, the first as package credit says it.
var documentKinds = [][]string{
	{"invoice", "bill", "receivable", "debit", "发票", "应收单", "应收", "销售发票", "销售出库", "蓝字发票", "应收款"},
	{"debit_note", "debit note", "interest", "其他应收", "借项通知单"},
	{"refund", "退款", "退款单", "付款退款"},
	{"credit_note", "credit note", "credit", "credit memo", "红字发票", "红字应收单", "贷项通知单", "销售退货", "退货"},
	{"payment", "receipt", "收款", "收款单", "回款", "已收款"},
	{"advance", "prepayment", "down payment", "预收", "预收款", "预收单", "定金"},
	{"deposit", "security deposit", "押金", "保证金"},
	{"write_off", "write off", "bad debt", "坏账", "坏账核销"},
	{"discount", "cash discount", "现金折扣", "折扣"},
}

// creditKinds are what the customer is owed, whatever the sign of the amount.
var creditKinds = []string{"credit_note", "payment", "advance", "deposit", "write_off", "discount"}

func (d documentRows) finish(c *converter, l *line) entry {
	e := &documentEntry{balance: d.balances}
	doc := &e.document
	doc.Kind = "invoice"
	if d.balances {
		doc.Kind = "adjustment"
	} else if v := l.cells[DocumentKind]; v.text != "" {
		var known bool
		if doc.Kind, known = wordOf(v.text, documentKinds); !known {
			l.bad(DocumentKind, customer.CodeUnknown, "is no kind of document", "one of invoice, credit_note, payment, advance, refund, deposit, write_off, discount")
		}
	}
	doc.Key, doc.Reference, doc.Note = l.cells[DocumentNumber].text, l.cells[Reference].text, l.cells[Note].text
	if doc.Key == "" && !d.balances {
		l.bad(DocumentNumber, customer.CodeRequired, "is missing", "give each document its number, by which it is posted only once")
	}
	doc.Date = day(l, DocumentDay, c.day)
	doc.Due = day(l, Due, 0)
	if doc.Date.IsZero() && l.cells[DocumentDay].text == "" {
		l.bad(DocumentDay, customer.CodeRequired, "is missing", "map a column of dates, or give the import's Day")
	}
	e.amount(c, l)
	if l.refused {
		return nil
	}
	return e
}

// day reads a date, otherwise the given one.
func day(l *line, f Field, otherwise date.Date) date.Date {
	v := l.cells[f]
	if v.text == "" {
		return otherwise
	}
	t, ok := parseDay(v.text)
	d := date.Of(t)
	if !ok || !d.Valid() {
		l.bad(f, customer.CodeMalformed, "is no date", "write it as 2006-01-02")
		return 0
	}
	return d
}

// documentEntry is a document on its way into the book.
type documentEntry struct {
	document Document
	balance  bool
}

// amount reads what the customer owes, and the side that it is on.
func (e *documentEntry) amount(c *converter, l *line) {
	doc := &e.document
	doc.Amount.Currency = c.currency
	if v := l.cells[Currency]; v.text != "" {
		currency, err := parseCurrency(v.text)
		if err != nil {
			l.bad(Currency, customer.CodeUnknown, "is no currency", "give its ISO 4217 code, such as CNY")
			return
		}
		doc.Amount.Currency = currency
	}
	owed, okOwed := e.minor(l, Amount)
	credit, okCredit := e.minor(l, AmountCredit)
	if !okOwed || !okCredit {
		return
	}
	net := owed - credit
	switch {
	case owed != 0 && credit != 0 && (owed < 0) == (credit < 0) && !e.balance:
		l.bad(AmountCredit, customer.CodeMalformed, "stands beside an amount on the other side", "give a document one amount")
	case net == 0 && e.balance:
		e.document.Amount.Minor = 0
	case net == 0:
		l.bad(Amount, customer.CodeRequired, "is missing or zero", "give the document's amount")
	case net < 0 && e.balance:
		doc.Credit, doc.Amount.Minor = true, -net
	case net < 0 && doc.Kind == "invoice":
		doc.Kind, doc.Amount.Minor = "credit_note", -net
	case net < 0 && (owed == 0 || slices.Contains(creditKinds, doc.Kind)): // which say their side
		doc.Amount.Minor = -net
	case net < 0:
		l.bad(Amount, customer.CodeMalformed, "is negative", "give the amount without a sign, and say by its kind which side it is on")
	default:
		doc.Amount.Minor = net
	}
}

// minor reads an amount in the currency's minor units; none is 0. Accountants write
// negative ones in parentheses too. One with a sign within them may mean either.
func (e *documentEntry) minor(l *line, f Field) (int64, bool) {
	v := l.cells[f]
	if v.text == "" {
		return 0, true
	}
	value, negative := width.Narrow.String(v.text), false
	if inner, ok := strings.CutPrefix(value, "("); ok && strings.HasSuffix(inner, ")") {
		value, negative = strings.TrimSuffix(inner, ")"), true
	}
	digits := e.document.Amount.Currency.Digits()
	n, ok := parseUnits(value, uint8(digits))
	if ok = ok && !(negative && n < 0); !ok {
		l.bad(f, customer.CodeMalformed, "is no amount", fmt.Sprintf("digits, with at most %d behind the point", digits))
	}
	if negative {
		n = -n
	}
	return n, ok
}

// currencies are names that files use for currencies.
var currencies = map[string]string{
	"人民币": "CNY", "rmb": "CNY", "人民币元": "CNY", "￥": "CNY", "¥": "CNY", "新台币": "TWD", "台币": "TWD", "ntd": "TWD", "nt$": "TWD", "美元": "USD", "us$": "USD", "$": "USD",
	"港币": "HKD", "港元": "HKD", "欧元": "EUR", "€": "EUR", "日元": "JPY", "英镑": "GBP", "£": "GBP", "新加坡元": "SGD",
}

func parseCurrency(value string) (money.Currency, error) {
	if code, ok := currencies[strings.ToLower(value)]; ok {
		value = code
	}
	return money.ParseCurrency(strings.ToUpper(value))
}

func (e *documentEntry) apply(r *run, tx *Tx, l *line) (fate, error) {
	id, err := r.customerOf(tx, l)
	if err != nil {
		return fate{}, err
	}
	l.found = id
	d := e.document
	d.Customer = id
	if d.Amount.Minor == 0 { // an opening balance of nothing
		return fate{outcome: Unchanged, id: id}, nil
	}
	if d.Key == "" {
		d.Key = fmt.Sprintf("opening %s %s %s", d.Date, d.Amount.Currency, id)
	}
	item, fresh, err := tx.Items.Post(d)
	if err != nil {
		return fate{}, err
	}
	f := fate{outcome: Created, id: id, entry: item}
	if fresh {
		r.posted[d.Key] = l.row
		return f, nil
	}
	if row := r.posted[d.Key]; row > 0 && row != l.row { // two lines of one document, or the same twice
		field := DocumentNumber
		if e.balance {
			field = Amount
		}
		return fate{}, &cellError{field: field, code: CodeDuplicate, detail: fmt.Sprintf("repeats row %d, which posted the document", row),
			remedy: "give the document one row with its whole amount, or each row a number of its own"}
	}
	f.outcome = Unchanged
	return f, nil
}
