package exchange

import (
	"regexp"
	"slices"
	"strings"

	"github.com/clientele-go/clientele/internal/text"
)

// What people type to try a system out. The lists are short on purpose: 测试 alone is a test,
// 测试设备有限公司 makes instruments.
var (
	testName = regexp.MustCompile(`^(test|测试|试用|demo|演示|dummy|sample|示例|样例|example)` +
		`(customer|client|company|user|account|data|record|客户|公司|单位|企业|用户|账号|数据|记录|专用)?[0-9]*$`)
	testNames = []string{
		"asdf", "asdfg", "asdfgh", "asdfghjkl", "qwer", "qwert", "qwerty", "zxcv", "zxcvbn", "qazwsx", "xx", "xxx", "foo", "foobar", "abc123",
		"123", "1234", "12345", "123456", "1234567", "12345678", "123456789", "张三", "李四", "王五", "某某", "某某某", "某公司", "johndoe", "janedoe",
	}
	testPhone = regexp.MustCompile(`^(1234567[0-9]*|13800138000|1[3-9][0-9]0{8})$`)
	// RFC 2606 keeps these domains from being anybody's.
	testEmail = regexp.MustCompile(`^(test|asdf|qwerty)[0-9]*@|@(example|test)\.(com|net|org|cn)$|\.(test|example|invalid)$`)
)

// sameCharacters is how many equal characters, and no others, nobody is called.
const sameCharacters = 4

// testRecord reports whether a row looks as if somebody had tried something out, and by
// which cell.
func (v *previewer) testRecord(l *line) (Fault, bool) {
	for i, column := range l.columns {
		f := v.converter.fieldOf(column)
		value := l.values[i]
		_, phone := labelled(f, Phone)
		_, email := labelled(f, Email)
		if f == Name && looksTestName(value) || phone && looksTestPhone(value) || email && testEmail.MatchString(strings.ToLower(value)) {
			return Fault{
				Row: l.row, Line: l.line, Column: column, Heading: v.converter.byColumn[column-1].Heading, Field: f, Value: excerpt(value),
				Code: CodeTest, Detail: "looks like a test", Remedy: "leave the row out if it is one",
			}, true
		}
	}
	return Fault{}, false
}

func looksTestName(name string) bool {
	core, _ := text.LegalForm(name)
	for _, s := range []string{core, name} {
		s = strings.ReplaceAll(text.Fold(s), " ", "")
		if testName.MatchString(s) || slices.Contains(testNames, s) || repeatsOne(s, sameCharacters) {
			return true
		}
	}
	return false
}

func looksTestPhone(number string) bool {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
	return testPhone.MatchString(digits) || repeatsOne(digits, 7)
}

// repeatsOne reports whether a text is one character at least n times.
func repeatsOne(s string, n int) bool {
	runes := []rune(s)
	return len(runes) >= n && !slices.ContainsFunc(runes, func(r rune) bool { return r != runes[0] })
}

// totals are what lists have where a customer's code or name would stand, in the rows below
// the last one. "Total" alone is a company.
var totals = []string{"合计", "合計", "总计", "總計", "小计", "小計", "共计", "共計", "累计", "累計", "总合计", "本页合计", "本页小计", "grand total", "subtotal", "sub total", "total:"}

// refuseTotal refuses the row of a list's totals, which is no customer.
func (c *converter) refuseTotal(l *line) {
	for _, cell := range [][2]string{{"Code", l.draft.Code}, {"Name", l.draft.Name}} {
		part, value := cell[0], cell[1]
		folded := text.Fold(value)
		if slices.Contains(totals, folded) || slices.Contains(totals, strings.TrimRight(folded, ":： ")) {
			l.refuse(Fault{
				Column: l.origin[part], Field: c.fieldOf(l.origin[part]), Value: value,
				Code: CodeTotal, Detail: "is the list's total, not a customer", Remedy: "leave the row out",
			})
			return
		}
	}
}
