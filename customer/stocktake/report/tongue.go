package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/stocktake"
)

// tongue is the language of a report, and its time zone.
type tongue struct {
	tag      language.Tag
	chinese  bool
	location *time.Location
}

func newTongue(o Options, r *stocktake.Result) tongue {
	base, _ := o.Language.Base()
	t := tongue{tag: language.English, location: o.Location, chinese: base.String() == "zh"}
	if t.chinese {
		t.tag = o.Language
	}
	if t.location == nil {
		t.location = zoneOf(r)
	}
	return t
}

// zoneOf is the zone of the result's definition, or UTC on a machine that doesn't know it.
func zoneOf(r *stocktake.Result) *time.Location {
	if r != nil {
		if zone, err := time.LoadLocation(r.Definition.Zone); err == nil {
			return zone
		}
	}
	return time.UTC
}

// say returns one of two texts.
func (t tongue) say(english, chinese string) string {
	if t.chinese {
		return chinese
	}
	return english
}

// sayf is say with values.
func (t tongue) sayf(english, chinese string, values ...any) string {
	return fmt.Sprintf(t.say(english, chinese), values...)
}

// name returns the text of names in the language, or what stands for it.
func (t tongue) name(n customer.Names, otherwise string) string {
	if text := n.In(t.tag); text != "" {
		return text
	}
	if otherwise = strings.TrimPrefix(otherwise, "\x00"); otherwise != "" {
		return otherwise
	}
	return t.say("(none)", "（无）")
}

// moment writes an instant to the minute with its zone.
func (t tongue) moment(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.In(t.location).Format("2006-01-02 15:04 MST")
}

// write returns a cell as people read it.
func (t tongue) write(c cell, in column) string {
	if !c.set {
		return c.text
	}
	switch in.kind {
	case rate:
		return grouped(trimmed(decimal(c.n, in))) + "%"
	case words:
		return c.text
	}
	return grouped(decimal(c.n, in))
}

// decimal writes a number of a column with all its decimals and no groups.
func decimal(n int64, in column) string {
	if in.kind == amount {
		currency, _ := money.ParseCurrency(in.unit)
		return money.Amount{Minor: n, Currency: currency}.Decimal()
	}
	digits := in.digits()
	if digits == 0 {
		return strconv.FormatInt(n, 10)
	}
	sign, size := "", uint64(n)
	if n < 0 {
		sign, size = "-", -size
	}
	text := fmt.Sprintf("%0*d", digits+1, size)
	return sign + text[:len(text)-digits] + "." + text[len(text)-digits:]
}

// trimmed takes zeros away from the end of decimals.
func trimmed(decimal string) string {
	return strings.TrimSuffix(strings.TrimRight(decimal, "0"), ".")
}

// grouped puts commas between thousands, as English and Chinese have it, and a minus as
// wide as a digit before negative numbers.
func grouped(decimal string) string {
	sign := ""
	if strings.HasPrefix(decimal, "-") {
		sign, decimal = "−", decimal[1:]
	}
	whole, fraction, _ := strings.Cut(decimal, ".")
	var out strings.Builder
	out.WriteString(sign)
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			out.WriteByte(',')
		}
		out.WriteRune(digit)
	}
	if fraction != "" {
		out.WriteString("." + fraction)
	}
	return out.String()
}

// counted writes a count.
func counted(n int64) string { return grouped(strconv.FormatInt(n, 10)) }

// signedCount writes a change with its sign.
func signedCount(n int64) string {
	if n > 0 {
		return "+" + counted(n)
	}
	return counted(n)
}
