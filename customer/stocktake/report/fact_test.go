package report_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer/stocktake"
)

// fact is a number that every report must show, taken from the Result here and not by the
// code under test.
type fact struct {
	table, row, label, column string
	value                     string // decimal, without groups
	unit                      string // a currency, "%" or none
}

func plain(n int64) string { return strconv.FormatInt(n, 10) }

// minor writes minor units of a currency: none of the sample's but JPY has other than two
// decimals.
func minor(n int64, currency string) string {
	if currency == "JPY" {
		return plain(n)
	}
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%02d", sign, n/100, n%100)
}

// facts are the numbers of a result by table.
func facts(r *stocktake.Result, tag language.Tag) (list []fact) {
	add := func(table, row, label, column, value, unit string) {
		list = append(list, fact{table, row, label, column, value, unit})
	}
	zh := tag != language.English
	pick := func(en, chinese string) string {
		if zh {
			return chinese
		}
		return en
	}
	t := r.Reconciliation
	for _, line := range []struct {
		row, en, zh string
		n           int64
	}{
		{"opening", "Opening", "期初", t.Opening}, {"new", "New", "新增", t.New}, {"reactivated", "Reactivated", "重新启用", t.Reactivated}, {"unmerged", "Unmerged", "撤销合并", t.Unmerged},
		{"entered", "Entered", "转入", t.Entered}, {"merged", "Merged", "被合并", -t.Merged}, {"archived", "Archived", "归档", -t.Archived}, {"erased", "Erased", "删除", -t.Erased}, {"left", "Left", "转出", -t.Left}, {"closing", "Closing", "期末", t.Closing},
	} {
		add("reconciliation", line.row, pick(line.en, line.zh), "customers", plain(line.n), "")
	}
	for _, m := range r.Trend {
		for column, n := range map[string]int64{"opening": m.Opening, "new": m.New, "archived": m.Archived, "closing": m.Closing, "gained": m.New + m.Reactivated + m.Unmerged + m.Entered, "lost": m.Merged + m.Archived + m.Erased + m.Left} {
			add("trend", m.Month, m.Month, column, plain(n), "")
		}
	}
	for _, d := range r.Dimensions {
		for _, row := range d.Rows {
			label := row.Label.In(tag)
			for column, n := range map[string]int64{"opening": row.Opening, "gained": row.Gained, "lost": row.Lost, "moved_in": row.MovedIn, "moved_out": row.MovedOut, "closing": row.Closing, "new": row.New, "active": row.Active, "dormant": row.Dormant, "gone": row.Gone} {
				add("dimension."+d.Code, row.Key, label, column, plain(n), "")
			}
			for _, f := range row.Figures {
				add("figures."+d.Code, row.Key, label, f.Name, minor(f.Amount, f.Currency), f.Currency)
			}
		}
	}
	for _, x := range r.CrossTabs {
		for i, cells := range x.Cells {
			for j, n := range cells {
				add("crosstab."+x.Rows+"."+x.Columns, x.RowKeys[i], x.RowLabels[i].In(tag), x.ColumnKeys[j], plain(n), "")
			}
		}
	}
	for _, c := range r.Checks {
		add("checks", c.Code, c.Title.In(tag), "found", plain(c.Count), "")
	}
	if c := r.Comparison; c != nil {
		add("comparison", "matched", pick("Customers in both", "两边都有的客户"), "count", plain(c.Matched), "")
		add("comparison", "only_there", pick("Only there", "仅另一清单有"), "count", plain(c.OnlyThere), "")
	}
	if a := r.Aging; a != nil {
		for _, row := range a.Currencies {
			for i, n := range row.Buckets {
				add("aging", "bucket_"+strconv.Itoa(i), a.Buckets[i].In(tag), "amount", minor(n, row.Currency), row.Currency)
			}
			add("aging", "balance", pick("Balance", "余额"), "amount", minor(row.Balance, row.Currency), row.Currency)
		}
	}
	return list
}

// shown is a fact's value as people read it: groups of three, and a minus as wide as a
// digit.
func (f fact) shown() string {
	sign, digits := "", f.value
	if strings.HasPrefix(digits, "-") {
		sign, digits = "−", digits[1:]
	}
	whole, rest, found := strings.Cut(digits, ".")
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if found {
		whole += "." + rest
	}
	return sign + whole
}

func TestFactsAreWrittenAsPeopleReadThem(t *testing.T) {
	for value, want := range map[string]string{"0": "0", "999": "999", "-1000": "−1,000", "1234567.89": "1,234,567.89"} {
		if got := (fact{value: value}).shown(); got != want {
			t.Errorf("%s is shown as %s, want %s", value, got, want)
		}
	}
}
