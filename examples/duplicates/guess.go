package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/clientele-go/clientele/dedupe/compare"
	"github.com/clientele-go/clientele/dedupe/match"
)

// schema says what the columns hold. Columns that it doesn't name are not compared.
type schema struct {
	ID     string                  `json:"id"`
	Mode   string                  `json:"mode,omitempty"`
	Source string                  `json:"source,omitempty"`
	Fields map[string]compare.Type `json:"fields"`
}

// readSchema reads a schema and checks it against the file.
func readSchema(name string, t *table) (*schema, error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	s := &schema{}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(s); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok { // which names types of Go
			err = fmt.Errorf("%q is a JSON %s", wrong.Field, wrong.Value)
		}
		return nil, fmt.Errorf("%s: is no schema: %w; give a file that doesn't exist, and it is written there", name, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: something follows the schema; leave one {…} in the file", name)
	}
	if err := s.check(t); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// check says what of a schema doesn't fit the file.
func (s *schema) check(t *table) error {
	if len(s.Fields) == 0 {
		return errors.New("names no fields; write \"COLUMN\": \"type\" under \"fields\"")
	}
	switch s.Mode {
	case "", "dedupe", "link":
	default:
		return fmt.Errorf("mode %q: write \"dedupe\" or \"link\"", s.Mode)
	}
	if s.Mode == "link" && t.column(s.Source) < 0 {
		return fmt.Errorf("source: column %q is not in the file; name the column that says which list a row is of: one of %q", s.Source, t.header)
	}
	for column, typ := range s.Fields {
		if t.column(column) < 0 {
			return fmt.Errorf("column %q is not in the file; it has %q", column, t.header)
		}
		if !slices.Contains(compare.Types(), typ) {
			return fmt.Errorf("column %q: type %q is unknown; use one of %s", column, typ, strings.Join(typeNames(), ", "))
		}
	}
	return s.checkIDs(t)
}

// checkIDs says whether every row has an id of its own, where the schema names a column of
// them.
func (s *schema) checkIDs(t *table) error {
	if s.ID == "" {
		return nil
	}
	at := t.column(s.ID)
	if at < 0 {
		return fmt.Errorf("id: column %q is not in the file; it has %q", s.ID, t.header)
	}
	seen := make(map[string]int, len(t.rows))
	for i, row := range t.rows {
		id := row[at]
		if id == "" {
			return fmt.Errorf("id: row %d has none; give every row an id, or leave \"id\" out of the schema", i+1)
		}
		if first, twice := seen[id]; twice {
			return fmt.Errorf("id: row %d has %q as row %d has; give every row its own, or leave \"id\" out of the schema", i+1, id, first)
		}
		seen[id] = i + 1
	}
	return nil
}

// mode is the schema's for package match.
func (s *schema) mode() match.Mode {
	if s.Mode == "link" {
		return match.Link
	}
	return match.Dedupe
}

func (s *schema) text() string {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil { // texts and a map of texts always can be
		return err.Error()
	}
	return string(text)
}

// fields are the columns to compare, in the file's order.
func (s *schema) fields(t *table) []match.Field {
	var fields []match.Field
	for _, h := range t.header {
		if typ, found := s.Fields[h]; found {
			fields = append(fields, match.Field{Name: h, Type: typ})
		}
	}
	return fields
}

// records yields the rows, by their number, since the file's ids may repeat.
func (s *schema) records(t *table) iter.Seq2[match.Record, error] {
	var columns []int
	for i, h := range t.header {
		if _, found := s.Fields[h]; found {
			columns = append(columns, i)
		}
	}
	source := t.column(s.Source)
	return func(yield func(match.Record, error) bool) {
		for i, row := range t.rows {
			r := match.Record{ID: strconv.Itoa(i + 1)}
			if source >= 0 {
				r.Source = row[source]
			}
			for _, c := range columns {
				r.Values = append(r.Values, row[c])
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// byHeader are words of headers, in the order in which they are tried: a longer or more
// special one before what it contains. What has no type says nothing of the customer.
var byHeader = []struct {
	words string
	typ   compare.Type
}{
	{"created|updated|modified|last.?login|创建|更新|录入|修改", ""},
	{"e-?mail|邮箱|郵箱|电子邮件|電子郵件", compare.Email},
	{"phone|mobile|\\btel|fax|电话|電話|手机|手機|传真|傳真|联系方式", compare.Phone},
	{"website|homepage|\\burl\\b|网址|網址|网站|網站", compare.Website},
	{"birth|\\bdob\\b|生日|出生", compare.DateBirth},
	{"post ?code|postal|\\bzip\\b|\\bplz\\b|邮编|郵編|邮政编码|郵遞區號", compare.AddressPostcode},
	{"tax|vat|uscc|licen[cs]e|passport|ssn|soc_?sec|national.?id|\\blei\\b|identifier|税号|稅號|统一社会信用代码|統一編號|\\biban\\b|身份证|身分證|证件|證號|银行账号|銀行帳號", compare.Identifier},
	{"编号|編號|编码|編碼|序号|序號", ""},
	{"given|first.?name|fname|name_first|vorname|\\b名\\b", compare.PersonGiven},
	{"surname|last.?name|family|lname|name_last|nachname|\\b姓\\b", compare.PersonFamily},
	{"company|organi[sz]ation|employer|agency|business|firm|公司|企业|企業|单位|單位|商号", compare.OrganisationName},
	{"street.?(no|num)|house.?no|门牌|門牌", compare.AddressNumber},
	{"address|addr\\b|street|stra(ss|ß)e|地址|住址", compare.Address},
	{"city|town|suburb|\\bort\\b|城市|市$|区县|县区", compare.AddressCity},
	{"state|province|region|county|省", compare.AddressRegion},
	{"full.?name|contact|person|director|法人|法定代表人|姓名|联系人|聯絡人", compare.PersonName},
	{"name|title|名称|名稱|客户|客戶", compare.Name},
	{"gender|sex|type|category|status|kind|性别|类型|類型|类别|状态", compare.Category},
	{"note|remark|comment|description|备注|備註|说明", compare.Text},
	{"amount|price|total|金额|金額|数量", compare.Number},
	{"date|日期", compare.Date},
}

// byContent are what a column's values look like when its header tells nothing.
var byContent = []struct {
	pattern *regexp.Regexp
	typ     compare.Type
}{
	{regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`), compare.Email},
	{regexp.MustCompile(`^(https?://|www\.)`), compare.Website},
	{regexp.MustCompile(`^(\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})$`), compare.Date},
	{regexp.MustCompile(`^\+?[\d\s()-]{7,18}$`), compare.Phone},
	{regexp.MustCompile(`(路|街|巷|号|號|弄).*\d|\d.*(路|街|号|號)|^\d+ \w+ (St|Ave|Rd|Street|Avenue|Road)\b`), compare.Address},
	{regexp.MustCompile(`(公司|Co\.?,? ?Ltd|Inc\.?|LLC|GmbH)`), compare.OrganisationName},
	{regexp.MustCompile(`^[A-Z]{0,4}[0-9][0-9A-Z]{6,18}$`), compare.Identifier},
}

var idHeader = regexp.MustCompile(`(?i)^(id|.*_id|rec_?id|code|(客户|客戶|会员|會員|记录|記錄)?(编号|編號|编码|編碼)|no\.?)$`)

// guess decides what the columns hold by their headers, then by their values.
func guess(t *table) *schema {
	s := &schema{Mode: "dedupe", Fields: map[string]compare.Type{}}
	for i, h := range t.header {
		if s.ID == "" && idHeader.MatchString(strings.TrimSpace(h)) && t.names(i) {
			s.ID = h
			continue
		}
		values := t.sample(i)
		if len(values) == 0 {
			continue
		}
		if typ := guessColumn(h, values); typ != "" {
			s.Fields[h] = typ
		}
	}
	return s
}

// errNothingGuessed says that the headers and values of a file tell nothing.
var errNothingGuessed = errors.New("what the columns hold could not be guessed; name a file with -schema, and write \"COLUMN\": \"type\" under \"fields\" in it")

func guessColumn(header string, values []string) compare.Type {
	for _, rule := range byHeader {
		if regexp.MustCompile("(?i)" + rule.words).MatchString(strings.TrimSpace(header)) {
			return rule.typ
		}
	}
	for _, rule := range byContent {
		matching := 0
		for _, v := range values {
			if rule.pattern.MatchString(v) {
				matching++
			}
		}
		if 10*matching >= 6*len(values) {
			return rule.typ
		}
	}
	return ""
}

// sampled is how many values of a column are looked at.
const sampled = 1000

// sample returns values of a column that are not empty.
func (t *table) sample(column int) []string {
	var values []string
	for _, row := range t.rows {
		if v := strings.TrimSpace(row[column]); v != "" {
			if values = append(values, v); len(values) == sampled {
				break
			}
		}
	}
	return values
}

// names reports whether every row has a value of its own in a column.
func (t *table) names(column int) bool {
	seen := make(map[string]bool, len(t.rows))
	for _, row := range t.rows {
		v := strings.TrimSpace(row[column])
		if v == "" || seen[v] {
			return false
		}
		seen[v] = true
	}
	return true
}
