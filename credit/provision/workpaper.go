package provision

import (
	"encoding/csv"
	"io"
	"strconv"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/credit/money"
)

// gross returns the sum of the collective lines and of the assessed ones.
func (w Workpaper) gross() (collective, assessed int64) {
	for _, l := range w.Lines {
		collective += l.Gross
	}
	for _, a := range w.Assessed {
		assessed += a.Gross
	}
	return collective, assessed
}

func (w Workpaper) losses() (collective, assessed int64) {
	for _, a := range w.Assessed {
		assessed += a.Loss
	}
	return w.Allowance - assessed, assessed
}

func (w Workpaper) decimal(minor int64) string {
	return money.Amount{Minor: minor, Currency: w.Matrix.Currency}.Decimal()
}

// WriteCSV writes the workpaper for programs, a row for each cell of the matrix, each
// assessed customer and each total: section,segment,bucket,customer,gross,rate,allowance,
// reason. Section is matrix, assessed, unapplied, total or movement.
func (w Workpaper) WriteCSV(to io.Writer) error {
	out := csv.NewWriter(to)
	rows := [][]string{{"section", "segment", "bucket", "customer", "gross", "rate", "allowance", "reason"}}
	for _, l := range w.Lines {
		rows = append(rows, []string{"matrix", l.Segment, w.Matrix.Buckets.Name(l.Column), "", w.decimal(l.Gross), l.Rate.String(), w.decimal(l.Allowance), ""})
	}
	for _, a := range w.Assessed {
		rows = append(rows, []string{"assessed", "", "", a.Name, w.decimal(a.Gross), "", w.decimal(a.Loss), a.Reason})
	}
	rows = append(rows,
		[]string{"unapplied", "", "", "", w.decimal(w.Unapplied), "", "", ""},
		[]string{"total", "", "", "", w.decimal(w.Balance), "", w.decimal(w.Allowance), ""},
		[]string{"movement", "opening", "", "", "", "", w.decimal(w.Movement.Opening), ""},
		[]string{"movement", "written_off", "", "", "", "", w.decimal(-w.Movement.WrittenOff), ""},
		[]string{"movement", "recovered", "", "", "", "", w.decimal(w.Movement.Recovered), ""},
		[]string{"movement", "charge", "", "", "", "", w.decimal(w.Charge), ""})
	return out.WriteAll(rows)
}

// WriteXLSX writes the workpaper as a workbook with sheets for the summary, the matrix,
// the assessed customers and the roll rates, headed in Chinese or else in English. Amounts
// are numbers; those of more than 15 digits, which spreadsheets would round, are texts.
func (w Workpaper) WriteXLSX(to io.Writer, tag language.Tag) error {
	b := &workbook{Workpaper: w, words: wordsIn(tag), file: excelize.NewFile()}
	defer b.file.Close()
	b.styles()
	b.summary()
	b.matrix()
	b.assessed()
	b.rolls()
	if b.err != nil {
		return b.err
	}
	return b.file.Write(to)
}

// workbook writes sheets row by row; the first error stays.
type workbook struct {
	Workpaper
	words              words
	file               *excelize.File
	bold, amount, rate int // styles
	stream             *excelize.StreamWriter
	row                int
	err                error
}

func (b *workbook) styles() {
	digits := "#,##0"
	for i := range b.Matrix.Currency.Digits() {
		if i == 0 {
			digits += "."
		}
		digits += "0"
	}
	percent := "0.0000%"
	b.bold = b.style(&excelize.Style{Font: &excelize.Font{Bold: true}})
	b.amount = b.style(&excelize.Style{CustomNumFmt: &digits})
	b.rate = b.style(&excelize.Style{CustomNumFmt: &percent})
}

func (b *workbook) style(s *excelize.Style) int {
	made, err := b.file.NewStyle(s)
	b.fail(err)
	return made
}

func (b *workbook) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// sheet begins a sheet; the workbook's first one exists.
func (b *workbook) sheet(name string, widths ...float64) {
	if b.err != nil {
		return
	}
	if b.stream == nil {
		b.fail(b.file.SetSheetName("Sheet1", name))
	} else {
		b.fail(b.stream.Flush())
		_, err := b.file.NewSheet(name)
		b.fail(err)
	}
	stream, err := b.file.NewStreamWriter(name)
	b.fail(err)
	b.stream, b.row = stream, 0
	for i, width := range widths {
		if b.err == nil {
			b.fail(stream.SetColWidth(i+1, i+1, width))
		}
	}
}

func (b *workbook) add(cells ...any) {
	b.row++
	if b.err == nil {
		b.fail(b.stream.SetRow("A"+strconv.Itoa(b.row), cells))
	}
}

func (b *workbook) heading(texts ...string) {
	cells := make([]any, len(texts))
	for i, text := range texts {
		cells[i] = excelize.Cell{StyleID: b.bold, Value: text}
	}
	b.add(cells...)
}

// exactDigits is how many decimal digits a spreadsheet keeps.
const exactDigits = 1e15

func (b *workbook) money(minor int64) any {
	if minor >= exactDigits || minor <= -exactDigits {
		return b.decimal(minor)
	}
	value, err := strconv.ParseFloat(b.decimal(minor), 64)
	b.fail(err)
	return excelize.Cell{StyleID: b.amount, Value: value}
}

func (b *workbook) percent(r Rate) any {
	return excelize.Cell{StyleID: b.rate, Value: float64(r) / float64(Certain)}
}

func (b *workbook) summary() {
	w := b.words
	collective, assessed := b.gross()
	collectiveLoss, assessedLoss := b.losses()
	b.sheet(w.summary, 40, 22, 22)
	b.heading(w.title)
	b.add(w.asOf, b.Matrix.AsOf.String())
	b.add(w.currency, b.Matrix.Currency.String())
	b.add(w.method, w.methodText)
	b.add()
	b.heading("", w.gross, w.allowance)
	b.add(w.collective, b.money(collective), b.money(collectiveLoss))
	b.add(w.individual, b.money(assessed), b.money(assessedLoss))
	b.add(w.unapplied, b.money(b.Unapplied))
	b.add(w.total, b.money(b.Balance), b.money(b.Allowance))
	b.add()
	b.heading(w.movement)
	b.add(w.opening, nil, b.money(b.Movement.Opening))
	b.add(w.writtenOff, nil, b.money(-b.Movement.WrittenOff))
	b.add(w.recovered, nil, b.money(b.Movement.Recovered))
	b.add(w.charge, nil, b.money(b.Charge))
	b.add(w.closing, nil, b.money(b.Allowance))
}

func (b *workbook) matrix() {
	w := b.words
	b.sheet(w.matrix, 24, 16, 22, 14, 12, 14, 22)
	b.heading(w.segment, w.bucket, w.gross, w.loss, w.forward, w.rate, w.allowance)
	buckets := b.Matrix.Buckets.Len()
	for i, l := range b.Lines {
		s := b.Matrix.Segments[i/buckets]
		forward := s.Forward
		if forward.IsZero() {
			forward = money.One()
		}
		b.add(l.Segment, b.Matrix.Buckets.Name(l.Column), b.money(l.Gross), b.percent(s.Losses[l.Column]), forward.String(), b.percent(l.Rate), b.money(l.Allowance))
	}
	collective, _ := b.gross()
	loss, _ := b.losses()
	b.add(w.total, nil, b.money(collective), nil, nil, nil, b.money(loss))
}

func (b *workbook) assessed() {
	w := b.words
	b.sheet(w.individual, 40, 22, 22, 60)
	b.heading(w.customer, w.gross, w.allowance, w.reason)
	for _, a := range b.Assessed {
		b.add(a.Name, b.money(a.Gross), b.money(a.Loss), a.Reason)
	}
	_, assessed := b.gross()
	_, loss := b.losses()
	b.add(w.total, b.money(assessed), b.money(loss))
}

func (b *workbook) rolls() {
	w := b.words
	b.sheet(w.rolls, 24, 16, 16, 16, 26)
	b.heading(w.segment, w.bucket, w.roll, w.loss, w.periods)
	for _, s := range b.Matrix.Segments {
		e := s.Experience
		if e == nil {
			continue
		}
		for column, loss := range e.Losses {
			roll := b.percent(e.Terminal)
			if column < len(e.Rolls) {
				roll = b.percent(e.Rolls[column])
			}
			b.add(s.Name, b.Matrix.Buckets.Name(column), roll, b.percent(loss), e.From.String()+" – "+e.To.String())
		}
	}
	if b.err == nil {
		b.fail(b.stream.Flush())
	}
}

// words are the workbook's texts in one language.
type words struct {
	title, summary, matrix, individual, rolls                             string
	asOf, currency, method, methodText, gross, allowance                  string
	collective, unapplied, total                                          string
	movement, opening, writtenOff, recovered, charge, closing             string
	segment, bucket, loss, forward, rate, customer, reason, roll, periods string
}

var english = words{
	title: "Loss allowance of trade receivables", summary: "Summary", matrix: "Provision matrix", individual: "Individually assessed", rolls: "Roll rates",
	asOf: "As of", currency: "Currency", method: "Method", methodText: "Lifetime expected credit losses, simplified approach, provision matrix (IFRS 9 5.5.15, B5.5.35)",
	gross: "Gross", allowance: "Allowance", collective: "Collectively assessed", unapplied: "Unapplied credits", total: "Total",
	movement: "Movement of the allowance", opening: "Opening", writtenOff: "Written off", recovered: "Recovered", charge: "Charge to profit or loss", closing: "Closing",
	segment: "Segment", bucket: "Bucket", loss: "Loss rate", forward: "Forward factor", rate: "Rate applied", customer: "Customer", reason: "Reason",
	roll: "Roll rate", periods: "Agings",
}

var chinese = words{
	title: "应收账款坏账准备计算表", summary: "汇总", matrix: "准备矩阵", individual: "单项计提", rolls: "迁徙率",
	asOf: "基准日", currency: "币种", method: "方法", methodText: "整个存续期预期信用损失，简化方法，准备矩阵（CAS 22 第六十三条，IFRS 9 B5.5.35）",
	gross: "账面余额", allowance: "坏账准备", collective: "按组合计提", unapplied: "未核销贷项", total: "合计",
	movement: "坏账准备变动", opening: "期初余额", writtenOff: "核销", recovered: "收回已核销", charge: "计提（转回）", closing: "期末余额",
	segment: "组合", bucket: "账龄", loss: "历史损失率", forward: "前瞻性系数", rate: "预期信用损失率", customer: "客户", reason: "理由",
	roll: "迁徙率", periods: "账龄期间",
}

func wordsIn(tag language.Tag) words {
	if base, _ := tag.Base(); base.String() == "zh" {
		return chinese
	}
	return english
}
