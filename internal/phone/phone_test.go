package phone

import (
	"errors"
	"strings"
	"testing"
)

// The numbers of Taiwanese companies are as they stand in the register of listed
// companies (TWSE MOPS 18419); the E.164 forms follow from ITU-T E.164: the calling code,
// then the national number without its trunk prefix 0.
func TestParse(t *testing.T) {
	for _, c := range []struct {
		raw, country string
		want         Number
	}{
		// Taiwan as companies write it.
		{"(02)2531-7099", "TW", Number{"+886225317099", "", "TW", false}},
		{"02-2733-8000", "TW", Number{"+886227338000", "", "TW", false}},
		{"02 24331110", "tw", Number{"+886224331110", "", "TW", false}},
		{"(07)3712111", "TW", Number{"+88673712111", "", "TW", false}},
		{"06-266 4101", "TW", Number{"+88662664101", "", "TW", false}},
		{"037-583775", "TW", Number{"+88637583775", "", "TW", false}},
		{"049-2254777", "TW", Number{"+886492254777", "", "TW", false}},
		{"0436118888", "TW", Number{"+886436118888", "", "TW", false}},
		{"(089)323-011", "TW", Number{"+88689323011", "", "TW", false}},
		{"0937-841198", "TW", Number{"+886937841198", "", "TW", true}},
		{"0800-080-123", "TW", Number{"+886800080123", "", "TW", false}},
		{"082-325-643", "TW", Number{"+88682325643", "", "TW", false}},
		{"(03)-2150198", "TW", Number{"+88632150198", "", "TW", false}},
		{"886-4-8652321", "TW", Number{"+88648652321", "", "TW", false}},
		{"225317099", "TW", Number{"+886225317099", "", "TW", false}}, // a spreadsheet took the 0
		// Mainland China.
		{"13715022661", "CN", Number{"+8613715022661", "", "CN", true}},
		{"199-1937-8915", "CN", Number{"+8619919378915", "", "CN", true}},
		{"+86 188 7808 8472", "", Number{"+8618878088472", "", "CN", true}},
		{"0571-25698494", "CN", Number{"+8657125698494", "", "CN", false}},
		{"(010)74155715", "CN", Number{"+861074155715", "", "CN", false}},
		{"0433-2512345", "CN", Number{"+864332512345", "", "CN", false}},
		{"400-820-8820", "CN", Number{"+864008208820", "", "CN", false}},
		{"+86 (0)21 3175-3698", "DE", Number{"+862131753698", "", "CN", false}},
		{"0086-755-26771234", "CN", Number{"+8675526771234", "", "CN", false}},
		{"0571-80013866", "CN", Number{"+8657180013866", "", "CN", false}},
		// One country's number in the other's list.
		{"86-2131753698", "TW", Number{"+862131753698", "", "CN", false}},
		{"8613715022661", "TW", Number{"+8613715022661", "", "CN", true}},
		{"8659582889862", "TW", Number{"+8659582889862", "", "CN", false}},
		{"886227238666", "CN", Number{"+886227238666", "", "TW", false}},
		{"852 3416 8000", "TW", Number{"+85234168000", "", "HK", false}},
		{"(852)25621692", "CN", Number{"+85225621692", "", "HK", false}},
		{"0085225621692", "CN", Number{"+85225621692", "", "HK", false}},
		{"+853 2833 3000", "CN", Number{"+85328333000", "", "MO", false}},
		{"002-86-21-31753698", "TW", Number{"+862131753698", "", "CN", false}},
		// Elsewhere: numbers set aside for fiction and examples (Ofcom, NANPA 555-01).
		{"020 7946 0958", "GB", Number{"+442079460958", "", "GB", false}},
		{"+66-38-636800", "TW", Number{"+6638636800", "", "TH", false}},
		{"1-212-555-0123", "US", Number{"+12125550123", "", "US", false}},
		{"00 44 20 7946 0958", "TW", Number{"+442079460958", "", "GB", false}},
		// Extensions.
		{"2531-7099#100", "", Number{}},
		{"02-2602-6787#100", "TW", Number{"+886226026787", "100", "TW", false}},
		{"(02)2531-7099分機123", "TW", Number{"+886225317099", "123", "TW", false}},
		{"(02)2531-7099(分機：123)", "TW", Number{"+886225317099", "123", "TW", false}},
		{"010-62551234转8001", "CN", Number{"+861062551234", "8001", "CN", false}},
		{"010-62551234 轉接 8001", "CN", Number{"+861062551234", "8001", "CN", false}},
		{"010-6255-1234-8001", "CN", Number{"+861062551234", "8001", "CN", false}},
		{"02-25317099 ext. 12", "TW", Number{"+886225317099", "12", "TW", false}},
		{"02-25317099 Ext 12", "TW", Number{"+886225317099", "12", "TW", false}},
		{"02-25317099x12", "TW", Number{"+886225317099", "12", "TW", false}},
		{"02-25317099內線12", "TW", Number{"+886225317099", "12", "TW", false}},
		{"02-25317099轉總機", "TW", Number{"+886225317099", "", "TW", false}},
		{"020 7946 0958 ext 7", "GB", Number{"+442079460958", "7", "GB", false}},
		// Full width, words around, several numbers.
		{"０２－２５３１－７０９９＃１２", "TW", Number{"+886225317099", "12", "TW", false}},
		{"＋８６（１０）６２５５１２３４", "", Number{"+861062551234", "", "CN", false}},
		{"TEL: 02-25317099", "TW", Number{"+886225317099", "", "TW", false}},
		{"Fax 02-25317099", "TW", Number{"+886225317099", "", "TW", false}},
		{"手机13715022661", "CN", Number{"+8613715022661", "", "CN", true}},
		{"02-2531-7099、2531-7100", "TW", Number{"+886225317099", "", "TW", false}},
		{"02-2531-7099/02-2531-7100", "TW", Number{"+886225317099", "", "TW", false}},
		{"010-62551234-801；010-62551235", "CN", Number{"+861062551234", "801", "CN", false}},
		{"07-3425301-5", "TW", Number{"+88673425301", "", "TW", false}}, // lines 5301 to 5305
	} {
		got, err := Parse(c.raw, c.country)
		if c.want == (Number{}) {
			if err == nil {
				t.Errorf("Parse(%q, %q) = %+v, want an error", c.raw, c.country, got)
			}
			continue
		}
		if err != nil || got != c.want {
			t.Errorf("Parse(%q, %q) = %+v, %v, want %+v", c.raw, c.country, got, err, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ raw, country, reason string }{
		{"", "TW", "has no digits"},
		{"ask for Wang", "CN", "has no digits"},
		{"25092188", "TW", "has no area code"}, // Taipei or Taichung
		{"2602-6787#100", "TW", "has no area code"},
		{"62551234", "CN", "has no area code"},
		{"95588", "CN", "has no area code"},
		{"512-57515501", "TW", "fits no number range"},  // Kunshan's, in a list of Taiwan
		{"186-851374083", "CN", "fits no number range"}, // 12 digits
		{"0591847963413", "CN", "fits no number range"},
		{"17951234567", "CN", "fits no number range"}, // 17951 selects a carrier
		{"02-1234-5678", "TW", "fits no number range"},
		{"0571-2569849", "CN", "fits no number range"}, // Hangzhou has 8 digits
		{"02-25317099", "", "has no country code"},
		{"02-25317099", "XX", "has no country code, and the country is unknown"},
		{"+999 123 4567 890", "TW", "fits no number range"},
		{"02-2531-7099 \xff", "TW", "is not UTF-8"},
		{strings.Repeat("1", 300), "TW", "is longer than any number"},
		{strings.Repeat("12 ", 20), "TW", "has 40 digits, more than any number"},
	} {
		n, err := Parse(c.raw, c.country)
		var e *Error
		if !errors.As(err, &e) || e.Reason != c.reason || n != (Number{}) {
			t.Errorf("Parse(%.40q, %q) = %+v, %v, want reason %q", c.raw, c.country, n, err, c.reason)
			continue
		}
		if e.Value != c.raw || e.Remedy == "" || !errors.Is(err, ErrInvalid) {
			t.Errorf("Parse(%.40q, %q): %#v lacks the value, a remedy or ErrInvalid", c.raw, c.country, e)
		}
	}
}

func TestErrorNamesValueAndRemedy(t *testing.T) {
	_, err := Parse("25092188", "TW")
	want := `phone number "25092188" for TW has no area code; write it with its area code, such as 02-2531-7099 or 0912-345-678`
	if err == nil || err.Error() != want {
		t.Errorf("error = %v\nwant    %s", err, want)
	}
}

func TestDigits(t *testing.T) {
	for raw, want := range map[string]string{
		"":                 "",
		"(02)2531-7099#12": "022531709912",
		"＋８８６ ９１２":         "886912",
		"ask":              "",
		"225317099":        "225317099",
		"a\xff1":           "1",
	} {
		if got := Digits(raw); got != want {
			t.Errorf("Digits(%q) = %q, want %q", raw, got, want)
		}
	}
}

func TestFastPathAllocatesOnlyTheResult(t *testing.T) {
	for raw, want := range map[string]float64{
		"(02)2531-7099": 1, "13715022661": 1, "０５７１－２５６９８４９４": 1, "02-2531-7099#12": 2,
	} {
		country := "CN"
		if strings.Contains(raw, "2531") {
			country = "TW"
		}
		if got := testing.AllocsPerRun(100, func() { _, _ = Parse(raw, country) }); got != want {
			t.Errorf("Parse(%q) allocates %v times, want %v", raw, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, raw := range []string{
		"(02)2531-7099", "０２－２５３１－７０９９分機１２", "+86 (0)21 3175-3698", "8613715022661", "002-86-21-31753698",
		"02-2531-7099、2531-7100", "010-6255-1234-8001", "1-800-FLOWERS", "tel:+44-20-7946-0958;ext=7", "0800x", "+", "轉", "86002020000000",
	} {
		f.Add(raw, "TW")
		f.Add(raw, "CN")
		f.Add(raw, "")
	}
	f.Fuzz(func(t *testing.T, raw, country string) {
		n, err := Parse(raw, country)
		if err != nil {
			if !errors.Is(err, ErrInvalid) || n != (Number{}) {
				t.Fatalf("Parse(%q, %q) = %+v, %v", raw, country, n, err)
			}
			return
		}
		if len(n.E164) < 5 || n.E164[0] != '+' || !allDigits(n.E164[1:]) || !allDigits(n.Extension) || n.Country == "" {
			t.Fatalf("Parse(%q, %q) = %+v", raw, country, n)
		}
		again, err := Parse(n.E164, "")
		n.Extension = ""
		if err != nil || again != n {
			t.Fatalf("Parse(%q) = %+v, %v, but from %q %+v", n.E164, again, err, raw, n)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for _, c := range []struct{ name, raw, country string }{
		{"mobile", "137-1502-2661", "CN"},
		{"landline", "(02)2531-7099", "TW"},
		{"fullwidth", "０２－２５３１－７０９９分機１２", "TW"},
		{"library", "+44 20 7946 0958", "TW"},
		{"refused", "25092188", "TW"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = Parse(c.raw, c.country)
			}
		})
	}
}

// The peer: the library by itself, on the same numbers.
func BenchmarkLibphonenumber(b *testing.B) {
	for b.Loop() {
		if _, valid := library(b, "(02)2531-7099", "TW"); !valid {
			b.Fatal("not valid")
		}
	}
}
