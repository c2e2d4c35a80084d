package exchange

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/message/catalog"

	"github.com/clientele-go/clientele/customer"
)

var (
	// ErrMapping: the mapping can't be carried out.
	ErrMapping = errors.New("not a usable mapping")
	// ErrImported: the file was imported with this mapping before; Import.Again imports it
	// once more.
	ErrImported = errors.New("imported before")
	// ErrRunning: the same import is running elsewhere.
	ErrRunning = errors.New("running already")
	// ErrChanged: the file isn't the one that the import began with.
	ErrChanged = errors.New("the file has changed")
	// ErrUnreadable: a row of a list that customers are to be archived by can't be read.
	ErrUnreadable = errors.New("a row of the list can't be read")
	// ErrShortList: so few customers are on the list that it was likely cut off; see
	// [ShortListError].
	ErrShortList = errors.New("the list is suspiciously short")
	// ErrTooManyFaults: Import.MaxRefused rows were refused, and the import stopped.
	ErrTooManyFaults = errors.New("too many rows were refused")
	// ErrDepended: what the import brought is in use; see [DependentsError].
	ErrDepended = errors.New("later work depends on it")
)

// Fault is one thing that is wrong with a row.
type Fault struct {
	Row     int    // of the file, from 1 on
	Line    int    // of a text file; 0 in workbooks
	Column  int    // from 1 on; 0 when the whole row is meant
	Heading string // of the column
	Field   Field
	Value   string // as given, shortened
	Code    string // a stable word; see Codes
	Detail  string // what is wrong, in English, from where it was found
	Remedy  string // what would be right, in English; In has it in Chinese, too
	// Kept: the row was imported; the value stands in the note.
	Kept bool
}

// The codes of faults beside those of package customer ("required", "malformed",
// "too_long", "unknown", "repeated", "managed") and package tabular.
const (
	CodeDuplicate = "duplicate"  // another customer, or an earlier row, has the value
	CodeNotFound  = "not_found"  // no customer is there to be updated
	CodeAmbiguous = "ambiguous"  // several customers fit
	CodeGarbled   = "garbled"    // U+FFFD: bytes that are no characters
	CodeInexact   = "inexact"    // a long number of which a spreadsheet kept 15 digits
	CodeFormula   = "failed"     // an error of the workbook's own, "#REF!"
	CodeStale     = "stale"      // someone else changed the customer meanwhile
	CodeDenied    = "denied"     // the actor may not do this
	CodeWontMerge = "wont_merge" // values contradict those of the duplicate
	CodeQuota     = "quota"      // a unit or representative has as many customers as it may
	CodePosted    = "posted"     // the document is posted with other contents
	CodeClosed    = "closed"     // the period is closed
	CodeEmpty     = "empty"      // of a [Preview]: nothing is in a column that is imported
	CodeTotal     = "total"      // the row is the list's total
	CodeTest      = "test"       // of a [Preview]: the record looks as if typed to try something out
)

// cellError says what is wrong with a cell that only a transaction can tell.
type cellError struct {
	field          Field
	code           customer.Code
	detail, remedy string
}

func (e *cellError) Error() string {
	return fmt.Sprintf("exchange: %s %s; %s", e.field, e.detail, e.remedy)
}

// String is the fault in English.
func (f Fault) String() string { return f.In(language.English) }

// In is the fault as a sentence, with what would be right, in English or Chinese.
func (f Fault) In(tag language.Tag) string {
	p := printer(tag)
	remedy := f.Remedy
	if isChinese(tag) {
		remedy = f.chineseRemedy()
	}
	if remedy == "" {
		return f.bare(p)
	}
	return p.Sprintf("%s; %s", f.bare(p), remedy)
}

// bare is the fault as a sentence without what would be right.
func (f Fault) bare(p *message.Printer) string {
	row, column := plain(f.Row), plain(f.Column)
	where := p.Sprintf("row %d", row)
	switch {
	case f.Column > 0 && f.Heading != "":
		where = p.Sprintf("row %d, column %d (%s)", row, column, f.Heading)
	case f.Column > 0:
		where = p.Sprintf("row %d, column %d", row, column)
	}
	text := p.Sprintf(message.Key("fault."+f.Code, strings.ReplaceAll(f.Detail, "%", "%%")))
	if f.Value != "" {
		text = p.Sprintf("%s: %q", text, f.Value)
	}
	return p.Sprintf("%s: %s", where, text)
}

func printer(tag language.Tag) *message.Printer {
	return message.NewPrinter(tag, message.Catalog(sentences()))
}

func isChinese(tag language.Tag) bool {
	base, _ := tag.Base()
	return base.String() == "zh"
}

// chinese are the sentences in Chinese, by code.
var chinese = map[string]string{
	"row %d":                 "第%d行",
	"row %d, column %d":      "第%d行第%d列",
	"row %d, column %d (%s)": "第%d行第%d列（%s）",
	"%s: %q":                 "%s：“%s”",
	"%s: %s":                 "%s：%s",
	"%s; %s":                 "%s；%s",
	"fault.required":         "必填项为空",
	"fault.malformed":        "格式不正确",
	"fault.too_long":         "内容过长",
	"fault.unknown":          "没有这个值",
	"fault.repeated":         "同一记录内重复",
	"fault.managed":          "此项不能导入",
	"fault.duplicate":        "已属于另一客户，或与前面的行重复",
	"fault.not_found":        "找不到要更新的客户",
	"fault.ambiguous":        "有多个客户相符",
	"fault.garbled":          "含有无法解码的字符",
	"fault.inexact":          "长数字已被表格软件截断为15位",
	"fault.failed":           "单元格是公式错误",
	"fault.stale":            "导入期间客户已被他人修改",
	"fault.denied":           "没有权限",
	"fault.wont_merge":       "与重复客户的资料矛盾，未合并",
	"fault.quota":            "该组织或业务员的客户数已达上限",
	"fault.posted":           "该单据号已用于其他内容，或已被冲销",
	"fault.closed":           "单据日期所在期间已结账",
	"fault.empty":            "没有可导入的内容",
	"fault.total":            "是合计行，不是客户",
	"fault.test":             "疑似测试数据",
	"fault.open_quote":       "引号没有闭合",
	"fault.row_too_large":    "该行过长",
	"fault.too_many_cells":   "列数过多",
	"fault.bad_json":         "不是有效的JSON对象",
	"fault.unknown_key":      "出现前面没有的键",
}

var sentences = sync.OnceValue(func() catalog.Catalog {
	b := catalog.NewBuilder(catalog.Fallback(language.English))
	for _, list := range []map[string]string{chinese, chinesePreview} {
		for key, text := range list {
			// The builder fails for malformed messages only; a test reads them all.
			_ = b.SetString(language.Chinese, key, text)
		}
	}
	return b
})

// ShortListError says that nobody was archived by a list that would have had too many of
// its system's customers archived. It wraps ErrShortList.
type ShortListError struct {
	System     string
	Missing    int // active and suspended customers of the system that the list hasn't
	Customers  int // that the system has
	MaxPercent int // how many of them might have been archived
}

func (e *ShortListError) Error() string {
	return fmt.Sprintf("exchange: synchronise with %s: nobody is archived: %v: %d of %d customers, more than %d %%, aren't on it; import the whole list, or raise Sync.MaxPercent",
		e.System, ErrShortList, e.Missing, e.Customers, e.MaxPercent)
}

func (e *ShortListError) Unwrap() error { return ErrShortList }

// DependentsError lists what keeps an import from being undone. It wraps ErrDepended.
type DependentsError struct {
	Dependents []Dependent
	More       int // beyond those listed
}

func (e *DependentsError) Error() string {
	return fmt.Sprintf("exchange: undo: %d rows can't be taken back, such as row %d: %s",
		len(e.Dependents)+e.More, e.Dependents[0].Row, e.Dependents[0].Reason)
}

func (e *DependentsError) Unwrap() error { return ErrDepended }

// unmarshalStrictly reads one JSON value that has no names but the known ones.
func unmarshalStrictly(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the JSON value")
	}
	return nil
}
