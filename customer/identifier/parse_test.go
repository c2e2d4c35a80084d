package identifier_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/customer/identifier"
)

func newSet(t testing.TB, extra ...identifier.Scheme) *identifier.Set {
	t.Helper()
	set, err := identifier.NewSet(extra...)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// published are numbers that their standards give as examples or that their holders
// publish, in canonical form.
var published = map[string][]string{
	"cn.uscc": {
		"91350100M000100Y43", // GB 32100-2015
		"91110000600037341L",
	},
	"cn.org": {
		// 13·3+2·7+1·9+4·10+3·5+5·8+6·4+9·2 = 199 = 18·11+1, and 11-1 = 10 is X.
		"D2143569X",
		// 6·3+3·5+7·8+3·4+4·2 = 109 = 9·11+10, and 11-10 = 1.
		"600037341",
	},
	"cn.resident": {
		"11010519491231002X", "440524188001010014", // GB 11643-1999
		// 1·7+3·9+5·5+3·4+1·2+9·1+6·6+7·3+4·9+1·5+1·2 = 182 = 16·11+6, which stands for 6.
		"130503196704010016",
	},
	"tw.ubn": {
		"22099131", "11913502", // Taiwan Semiconductor, Taiwan Cement
		"10458574", "10458575", // the Ministry of Finance's, with a seventh digit 7: 1+0+4+1+8+1+(1|0)+…
		"10458570", // 1+0+4+1+8+1+(2+8)+0 = 25: only by the rule of 2023
	},
	"tw.resident": {
		"F131104093", // F is 15: 1+5·9+1·8+3·7+1·6+1·5+4·3+9+3 = 110
		"A800000014", // 1+8·8+1+4 = 70
		"AB12345677", // 1+1·8+7+12+15+16+15+12+7+7 = 100
	},
	"lei": {"5493001KJTIIGC8Y1R12", "529900T8BM49AURSDO55"},
	"sg.uen": {
		"196800306E", // DBS: 1·10+9·8+6·6+8·4+3·5+6·1 = 171 = 15·11+6, the letter E
		"00192200M", "197401143C", "S16FC0121D", "T01FC6132D",
	},
	"jp.corporate": {"7000012050002"}, // the tax agency: 1·2+2·1+5·1+2·1 = 11, and 9-11%9 = 7
	"us.ein":       {"911144442"},
	"duns":         {"150483782"},
	"hk.br":        {"58569172"},
	"gb.company":   {"00445790", "SC095237", "OC301540", "R0000003", "IP00525R"},
	"eu.vat": {
		"ATU13585627", // 1+6+5+(1+6)+5+(1+2)+2+4 = 33, and 40-33 = 7
		"BE0428759497", "BG175074752", "BG7523169263", "CY10259033P", "CZ25123891", "CZ7103192745", "CZ640903926",
		"DE136695976", "DK13585628", "EE100931558", "EL094259216", "ESA13585625", "ESB64717838", "ES54362315K",
		"ESX5253868R", "ESM1234567L", "FI20774740", "FR40303265045", "FRK7399859412", "FR4Z123456782", "HR33392005961",
		"HU12892312", "IE6433435F", "IE6433435OA", "IE8D79739I", "IT00743110157", "LT119511515", "LT100001919017",
		"LU15027442", "LV40003521600", "LV16117519997", "MT11679112", "NL004495445B01", "NL002455799B11", "PL8567346215",
		"PT501964843", "RO18547290", "SE123456789701", "SI50223054", "SK2022749619", "XI980780684", "XI100190874", "XIGD100",
	},
}

func TestPublishedNumbersAreCanonical(t *testing.T) {
	set := newSet(t)
	for _, scheme := range set.All() {
		if len(published[scheme.Name]) == 0 {
			t.Errorf("%s has no published number", scheme.Name)
		}
		for _, number := range published[scheme.Name] {
			if got, err := set.Parse(scheme.Name, number); err != nil || got != number {
				t.Errorf("Parse(%s, %s) = %q, %v", scheme.Name, number, got, err)
			}
		}
	}
}

func TestRegisteredUnifiedBusinessNumbersPass(t *testing.T) {
	list, err := os.ReadFile("testdata/tw_ubn.txt")
	if err != nil {
		t.Fatal(err)
	}
	set := newSet(t)
	numbers := strings.Fields(string(list))
	if len(numbers) < 900 {
		t.Fatalf("%d numbers", len(numbers))
	}
	for _, number := range numbers {
		if _, err := set.Parse("tw.ubn", number); err != nil {
			t.Error(err)
		}
	}
}

func TestParseNormalises(t *testing.T) {
	set := newSet(t)
	for _, c := range []struct{ scheme, raw, want string }{
		{"tw.ubn", "２２０９　９１３１", "22099131"},
		{"tw.ubn", "\t2209-9131\n", "22099131"},
		{"cn.uscc", "91350100m000100y43", "91350100M000100Y43"},
		{"cn.uscc", "9135 0100 M000 100Y 43", "91350100M000100Y43"},
		{"cn.org", "D2143569-X", "D2143569X"},
		{"cn.org", "60003734—1", "600037341"},
		{"cn.resident", "11010519491231002x", "11010519491231002X"},
		{"cn.resident", "110105491231002", "11010519491231002X"},
		{"cn.resident", "130503670401001", "130503196704010016"},
		{"lei", "5493 001K JTII GC8Y 1R12", "5493001KJTIIGC8Y1R12"},
		{"eu.vat", "FR 40 303 265 045", "FR40303265045"},
		{"eu.vat", "GR 094259216", "EL094259216"},
		{"eu.vat", "EL 94259216", "EL094259216"},
		{"eu.vat", "BE (0)428.759.497", "BE0428759497"},
		{"eu.vat", "BE 428.759.497", "BE0428759497"},
		{"eu.vat", "NL4495445B01", "NL004495445B01"},
		{"eu.vat", "NL: 0044.95.445.B.01", "NL004495445B01"},
		{"eu.vat", "es a-13585625", "ESA13585625"},
		{"us.ein", "91-1144442", "911144442"},
		{"duns", "15-048-3782", "150483782"},
		{"hk.br", "58569172-000-06-23-4", "58569172"},
		{"hk.br", "58569172-000", "58569172"},
		{"gb.company", "445790", "00445790"},
		{"gb.company", "sc 95237", "SC095237"},
		{"jp.corporate", "T7-0000-1205-0002", "7000012050002"},
	} {
		if got, err := set.Parse(c.scheme, c.raw); err != nil || got != c.want {
			t.Errorf("Parse(%s, %q) = %q, %v; want %q", c.scheme, c.raw, got, err, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	set := newSet(t)
	const (
		form, check, dummy = "doesn't have the form", "fails its check digit", "is a placeholder"
		letter             = "has a letter that such codes don't have"
	)
	for _, c := range []struct{ scheme, raw, reason string }{
		{"cn.uscc", "", "is empty"},
		{"cn.uscc", " - ", "is empty"},
		{"cn.uscc", "无", "has the character '无'"},
		{"cn.uscc", strings.Repeat("9", 1000), "is 1000 bytes long"},
		{"cn.uscc", "91350100M000100Y4", form},
		{"cn.uscc", "9135O100M000100Y43", form},
		{"cn.uscc", "91350100MO00100Y43", letter},
		{"cn.uscc", "91350100M000100Y44", check},
		{"cn.uscc", "91350100M000100Y34", check}, // the last two swapped
		{"cn.uscc", "91350100M000100X45", check}, // X counts 29, Y 30: the last character would be right, the inner one isn't
		{"cn.uscc", "000000000000000000", dummy}, // which satisfies both check digits
		{"cn.org", "D21435690", check},
		{"cn.org", "600037341X", form},
		{"cn.org", "000000000", dummy},
		{"cn.resident", "110105194912310021", check},
		{"cn.resident", "110105194902290026", "has no valid date of birth"},
		{"cn.resident", "11010517491231002X", "has no valid date of birth"},
		{"cn.resident", "170105194912310024", "doesn't begin with a province's code"},
		{"cn.resident", "1101051949123100", form},
		{"cn.resident", "1101051949123100XX", form},
		{"tw.ubn", "22099132", check},
		{"tw.ubn", "2209913", form},
		{"tw.ubn", "2209913A", form},
		{"tw.ubn", "00000000", dummy},
		{"tw.ubn", "55555555", dummy}, // 5+1+5+1+5+1+2+5 = 25
		{"tw.resident", "F131104094", check},
		{"tw.resident", "F331104093", form},
		{"tw.resident", "AE12345677", form},
		{"tw.resident", "A123456789", dummy},
		{"lei", "5493001KJTIIGC8Y1R13", check},
		{"lei", "5493001KJTIIGC8Y1R1", form},
		{"lei", "5493001KJTIIGC8Y1RAB", form},
		{"eu.vat", "136695976", "begins with no member state's letters"},
		{"eu.vat", "GB980780684", "begins with no member state's letters"},
		{"eu.vat", "DE", form},
		{"eu.vat", "DE136695977", check},
		{"eu.vat", "DE036695976", form},
		{"eu.vat", "DE999999999", dummy},
		{"eu.vat", "FR41303265045", check},
		{"eu.vat", "FR40303265046", check},
		{"eu.vat", "FRIO303265045", form},
		{"eu.vat", "IT00743110158", check},
		{"eu.vat", "IT00743112005", form},
		{"eu.vat", "ESA13585626", check},
		{"eu.vat", "ESI1358562A", form},
		{"eu.vat", "ES00000000T", dummy},
		{"eu.vat", "NL004495446B01", check},
		{"eu.vat", "NL000000000B01", dummy},
		{"eu.vat", "NL004495445B00", form},
		{"eu.vat", "PL1111111111", dummy}, // 45 = 4·11+1
		{"eu.vat", "CZ7113192745", "has no valid date of birth"},
		{"us.ein", "07-1144442", "has a prefix that the IRS doesn't issue"},
		{"us.ein", "12-3456789", dummy},
		{"us.ein", "91114444", form},
		{"duns", "123456789", dummy},
		{"duns", "12345678", form},
		{"hk.br", "5856917", form},
		{"gb.company", "XX123456", form},
		{"gb.company", "0", dummy},
		{"gb.company", "SC", form},
		{"gb.company", "SC12345R", form},
		{"gb.company", "123456789", form},
		{"jp.corporate", "7000012050003", check},
		{"sg.uen", "196800306F", check},
		{"sg.uen", "S16FC0121E", check},
		{"sg.uen", "S16FI0121D", check}, // I has no value
		{"sg.uen", "A16FC0121D", form},
	} {
		_, err := set.Parse(c.scheme, c.raw)
		bad, ok := errors.AsType[*identifier.Error](err)
		if !ok || !errors.Is(err, identifier.ErrInvalid) {
			t.Errorf("Parse(%s, %q): %v", c.scheme, c.raw, err)
			continue
		}
		if !strings.HasPrefix(bad.Reason, c.reason) || bad.Scheme != c.scheme || bad.Value != c.raw || bad.Remedy == "" {
			t.Errorf("Parse(%s, %q): %+v, want the reason %q", c.scheme, c.raw, bad, c.reason)
		}
	}
}

func TestRepeatedDigitsAreNoNumbers(t *testing.T) {
	set := newSet(t)
	for _, scheme := range set.All() {
		for length := 8; length <= 20; length++ {
			for digit := '0'; digit <= '9'; digit++ {
				number := strings.Repeat(string(digit), length)
				if got, err := set.Parse(scheme.Name, number); err == nil {
					t.Errorf("Parse(%s, %s) = %s", scheme.Name, number, got)
				}
			}
		}
	}
	if _, err := set.Parse("gb.company", "SC111111"); err != nil { // a serial number like any other
		t.Error(err)
	}
}

func TestPlaceholderSaysWhatToDo(t *testing.T) {
	_, err := newSet(t).Parse("tw.ubn", "00000000")
	const want = `identifier tw.ubn "00000000": is a placeholder; leave the identifier out where the number isn't known`
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// Canonical numbers stand on the path of every save and every look-up.
func TestParseOfCanonicalNumbersDoesNotAllocate(t *testing.T) {
	set := newSet(t)
	for _, c := range [][2]string{
		{"cn.uscc", "91350100M000100Y43"}, {"cn.resident", "11010519491231002X"}, {"cn.org", "D2143569X"},
		{"tw.ubn", "22099131"}, {"lei", "5493001KJTIIGC8Y1R12"}, {"eu.vat", "DE136695976"},
	} {
		if n := testing.AllocsPerRun(100, func() { _, _ = set.Parse(c[0], c[1]) }); n != 0 {
			t.Errorf("Parse(%s) allocates %g times", c[0], n)
		}
	}
}
