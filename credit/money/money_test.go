package money_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/credit/money"
)

func Example() {
	invoice, _ := money.ParseAmount("1234.50", money.USD)
	paid, _ := money.ParseAmount("34.50", money.USD)
	open, _ := invoice.Sub(paid)
	rate, _ := money.ParseRate("7.1234")
	inBase, _ := open.MulRate(rate, money.CNY)
	fmt.Println(open, "=", inBase)

	_, err := money.ParseAmount("10.5", money.JPY)
	fmt.Println(err)
	// Output:
	// 1200.00 USD = 8548.08 CNY
	// money: parse amount "10.5": too many digits; JPY has 0 decimal digits
}

// testdata/iso4217.csv is ISO 4217 List One of 2024-06-25: code, digits of the minor
// unit, none for "N.A.".
func TestDigitsAreThoseOfTheStandard(t *testing.T) {
	list, err := os.ReadFile("testdata/iso4217.csv")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(list)) {
		n++
		code, digits, _ := strings.Cut(strings.TrimSpace(line), ",")
		c, err := money.ParseCurrency(code)
		if digits == "" {
			if !errors.Is(err, money.ErrCurrency) {
				t.Errorf("%s has no minor unit and was accepted", code)
			}
			continue
		}
		if err != nil || c.String() != code || fmt.Sprint(c.Digits()) != digits {
			t.Errorf("%s: %v %d %v, want %s digits", code, c, c.Digits(), err, digits)
		}
	}
	if n != 179 {
		t.Errorf("%d lines, want 179", n)
	}
}

func TestCurrencyOrderIsThatOfCodes(t *testing.T) {
	codes := []string{"AED", "CNY", "EUR", "JPY", "KWD", "USD", "ZWG"}
	var last money.Currency
	for _, code := range codes {
		c, err := money.ParseCurrency([]byte(code))
		if err != nil || c <= last {
			t.Errorf("%s is %d after %d, %v", code, c, last, err)
		}
		last = c
	}
	for _, code := range []string{"", "cny", "CN", "CNYY", "ZZZ", "人民币", "C Y", "XAU"} {
		if _, err := money.ParseCurrency(code); !errors.Is(err, money.ErrCurrency) {
			t.Errorf("ParseCurrency(%q): %v", code, err)
		}
	}
}

func TestParseAmount(t *testing.T) {
	for _, c := range []struct {
		text     string
		currency money.Currency
		minor    int64
		err      error
	}{
		{"1234.50", money.CNY, 123450, nil},
		{"1234.5", money.CNY, 123450, nil},
		{"1234", money.CNY, 123400, nil},
		{"1234.", money.CNY, 123400, nil},
		{".5", money.CNY, 50, nil},
		{"-0.01", money.CNY, -1, nil},
		{"+7", money.CNY, 700, nil},
		{"0007.10", money.CNY, 710, nil},
		{"1.10000", money.CNY, 110, nil},
		{"5.00", money.JPY, 5, nil},
		{"1.234", money.KWD, 1234, nil},
		{"1000000000000", money.KWD, 1e15, nil},
		{"92233720368547758.07", money.CNY, math.MaxInt64, nil},
		{"-92233720368547758.07", money.CNY, -math.MaxInt64, nil},
		{"9223372036854775807", money.JPY, math.MaxInt64, nil},
		{"92233720368547758.08", money.CNY, 0, money.ErrOverflow},
		{"9223372036854775808", money.JPY, 0, money.ErrOverflow},
		{"92233720368547759", money.CNY, 0, money.ErrOverflow},
		{"99999999999999999999999999", money.JPY, 0, money.ErrOverflow},
		{"1.005", money.CNY, 0, money.ErrPrecision},
		{"5.01", money.JPY, 0, money.ErrPrecision},
		{"", money.CNY, 0, money.ErrSyntax},
		{".", money.CNY, 0, money.ErrSyntax},
		{"-", money.CNY, 0, money.ErrSyntax},
		{"1,234.50", money.CNY, 0, money.ErrSyntax},
		{"1.2.3", money.CNY, 0, money.ErrSyntax},
		{"1e3", money.CNY, 0, money.ErrSyntax},
		{" 1", money.CNY, 0, money.ErrSyntax},
		{"１２", money.CNY, 0, money.ErrSyntax},
		{"NaN", money.CNY, 0, money.ErrSyntax},
		{"1", 0, 0, money.ErrCurrency},
	} {
		a, err := money.ParseAmount(c.text, c.currency)
		if !errors.Is(err, c.err) || a.Minor != c.minor {
			t.Errorf("ParseAmount(%q, %v) = %d, %v; want %d, %v", c.text, c.currency, a.Minor, err, c.minor, c.err)
		}
		var failure *money.Error
		if c.err != nil && (!errors.As(err, &failure) || failure.Remedy == "") {
			t.Errorf("ParseAmount(%q): %v names no remedy", c.text, err)
		}
	}
}

func TestDecimalHasTheDigitsOfTheCurrency(t *testing.T) {
	for _, c := range []struct {
		amount money.Amount
		want   string
	}{
		{money.Amount{Minor: 5, Currency: money.CNY}, "0.05"},
		{money.Amount{Minor: -5, Currency: money.CNY}, "-0.05"},
		{money.Amount{Minor: 1005, Currency: money.KWD}, "1.005"},
		{money.Amount{Minor: 1005, Currency: money.JPY}, "1005"},
		{money.Amount{Minor: 0, Currency: money.JPY}, "0"},
		{money.Amount{Minor: 0, Currency: money.KWD}, "0.000"},
		{money.Amount{Minor: math.MinInt64, Currency: money.CNY}, "-92233720368547758.08"},
		{money.Amount{}, "0"},
	} {
		if got := c.amount.Decimal(); got != c.want {
			t.Errorf("%d %v is %q, want %q", c.amount.Minor, c.amount.Currency, got, c.want)
		}
	}
}

func TestSumsAreChecked(t *testing.T) {
	most := money.Amount{Minor: math.MaxInt64, Currency: money.CNY}
	least := money.Amount{Minor: math.MinInt64, Currency: money.CNY}
	one := money.Amount{Minor: 1, Currency: money.CNY}
	minus := money.Amount{Minor: -1, Currency: money.CNY}
	yen := money.Amount{Minor: 1, Currency: money.JPY}
	second := func(_ money.Amount, err error) error { return err }
	for name, err := range map[string]error{
		"most + 1":   second(most.Add(one)),
		"least - 1":  second(least.Sub(one)),
		"least + -1": second(least.Add(minus)),
		"most - -1":  second(most.Sub(minus)),
		"-least":     second(least.Neg()),
		"0 - least":  second(money.Amount{Currency: money.CNY}.Sub(least)),
	} {
		if !errors.Is(err, money.ErrOverflow) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := one.Add(yen); !errors.Is(err, money.ErrMismatch) {
		t.Errorf("CNY + JPY: %v", err)
	}
	if _, err := one.Sub(yen); !errors.Is(err, money.ErrMismatch) {
		t.Errorf("CNY - JPY: %v", err)
	}
	if _, err := one.Cmp(yen); !errors.Is(err, money.ErrMismatch) {
		t.Errorf("CNY <> JPY: %v", err)
	}
	if sum, err := most.Add(least); err != nil || sum.Minor != -1 {
		t.Errorf("most + least = %v, %v", sum, err)
	}
	if difference, err := minus.Sub(least); err != nil || difference.Minor != math.MaxInt64 {
		t.Errorf("-1 - least = %v, %v", difference, err)
	}
}

func TestAddMinorAgreesWithBigNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
		exact := new(big.Int).Add(big.NewInt(a), big.NewInt(b))
		sum, ok := money.AddMinor(a, b)
		if ok != exact.IsInt64() || ok && sum != exact.Int64() {
			t.Fatalf("%d + %d = %d %v, want %v", a, b, sum, ok, exact)
		}
		difference, err := money.Amount{Minor: a}.Sub(money.Amount{Minor: b})
		exact.Sub(big.NewInt(a), big.NewInt(b))
		if (err == nil) != exact.IsInt64() || err == nil && difference.Minor != exact.Int64() {
			t.Fatalf("%d - %d = %d %v, want %v", a, b, difference.Minor, err, exact)
		}
	})
}

func TestMulRateRoundsHalfToEven(t *testing.T) {
	for _, c := range []struct {
		amount money.Amount
		rate   string
		to     money.Currency
		want   string
	}{
		{money.Amount{Minor: 1, Currency: money.CNY}, "0.5", money.CNY, "0.00"},     // 0.5 fen: 0 is even
		{money.Amount{Minor: 3, Currency: money.CNY}, "0.5", money.CNY, "0.02"},     // 1.5 fen: 2 is even
		{money.Amount{Minor: 5, Currency: money.CNY}, "0.5", money.CNY, "0.02"},     // 2.5 fen: 2 is even
		{money.Amount{Minor: -3, Currency: money.CNY}, "0.5", money.CNY, "-0.02"},   // the sign doesn't matter
		{money.Amount{Minor: 5, Currency: money.CNY}, "0.50001", money.CNY, "0.03"}, // past the half
		{money.Amount{Minor: 100, Currency: money.JPY}, "0.0482", money.CNY, "4.82"},
		{money.Amount{Minor: 12345, Currency: money.USD}, "149.35", money.JPY, "18437"}, // 18437.2575
		{money.Amount{Minor: 1000, Currency: money.KWD}, "23.456", money.CNY, "23.46"},  // 1 KWD
		{money.Amount{Minor: 100, Currency: money.JPY}, "1.5", money.KWD, "150.000"},    // digits are gained
		// Just over and exactly at a half, 21 digits after the point: two divisions.
		{money.Amount{Minor: 1, Currency: money.JPY}, "0.500000000000000001", money.JPY, "1"},
		{money.Amount{Minor: 5, Currency: money.JPY}, "0.1000000000000000001", money.JPY, "1"},
		{money.Amount{Minor: 1, Currency: money.JPY}, "0.000000000000000000001", money.JPY, "0"},
	} {
		rate, err := money.ParseRate(c.rate)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.amount.MulRate(rate, c.to)
		if err != nil || got.Decimal() != c.want || got.Currency != c.to {
			t.Errorf("%v × %s = %v, %v; want %s", c.amount, c.rate, got, err, c.want)
		}
	}
}

// What the conversions must be: the exact quotient, rounded half to even by math/big.
func roundHalfEven(exact *big.Rat) *big.Int {
	twice := new(big.Rat).Mul(exact, big.NewRat(2, 1))
	floor := new(big.Int).Div(exact.Num(), exact.Denom()) // Euclidean: toward −∞
	rest := new(big.Rat).Sub(exact, new(big.Rat).SetInt(floor))
	switch rest.Cmp(big.NewRat(1, 2)) {
	case 1:
		return floor.Add(floor, big.NewInt(1))
	case 0:
		if twice.IsInt() && floor.Bit(0) == 1 {
			floor.Add(floor, big.NewInt(1))
		}
	}
	return floor
}

func TestConversionsAgreeWithRationals(t *testing.T) {
	currencies := []money.Currency{money.CNY, money.JPY, money.KWD, money.USD}
	rapid.Check(t, func(t *rapid.T) {
		a := money.Amount{Minor: rapid.Int64Min(-math.MaxInt64).Draw(t, "minor"), Currency: rapid.SampledFrom(currencies).Draw(t, "from")}
		to := rapid.SampledFrom(currencies).Draw(t, "to")
		rate := money.Rate{Coefficient: rapid.Uint64Min(1).Draw(t, "coefficient"), Scale: rapid.Uint8Max(money.MaxRateScale).Draw(t, "scale")}
		other := money.Rate{Coefficient: rapid.Uint64Min(1).Draw(t, "other"), Scale: rapid.Uint8Max(money.MaxRateScale).Draw(t, "scale")}

		exact := new(big.Rat).Mul(new(big.Rat).SetInt64(a.Minor), decimal(rate))
		exact.Mul(exact, tenTo(to.Digits()-a.Currency.Digits()))
		got, err := a.MulRate(rate, to)
		compare(t, got, err, roundHalfEven(exact))

		exact.Quo(exact, decimal(other))
		got, err = a.Convert(rate, other, to)
		compare(t, got, err, roundHalfEven(exact))
	})
}

func compare(t *rapid.T, got money.Amount, err error, want *big.Int) {
	fits := want.IsInt64() && want.Int64() != math.MinInt64
	if fits != (err == nil) || fits && got.Minor != want.Int64() {
		t.Fatalf("got %d, %v; want %v", got.Minor, err, want)
	}
}

func decimal(r money.Rate) *big.Rat {
	coefficient := new(big.Rat).SetInt(new(big.Int).SetUint64(r.Coefficient))
	return coefficient.Mul(coefficient, tenTo(-int(r.Scale)))
}

func tenTo(exponent int) *big.Rat {
	power := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(exponent, -exponent))), nil))
	if exponent < 0 {
		power.Inv(power)
	}
	return power
}

func TestParseRate(t *testing.T) {
	for _, c := range []struct {
		text, want string
		err        error
	}{
		{"7.1234", "7.1234", nil},
		{"7.1000", "7.1", nil},
		{"100", "100", nil},
		{"0.0482", "0.0482", nil},
		{".5", "0.5", nil},
		{"0.000000000000000000000000000001", "0.000000000000000000000000000001", nil},
		{"1234567890.123456789", "1234567890.123456789", nil},
		{"0", "", money.ErrRate},
		{"0.00", "", money.ErrRate},
		{"-7.1", "", money.ErrRate},
		{"", "", money.ErrSyntax},
		{".", "", money.ErrSyntax},
		{"1.2.3", "", money.ErrSyntax},
		{"7,1", "", money.ErrSyntax},
		{"1e-3", "", money.ErrSyntax},
		{"1.23456789012345678901", "", money.ErrPrecision},
	} {
		rate, err := money.ParseRate(c.text)
		if !errors.Is(err, c.err) || err == nil && rate.String() != c.want {
			t.Errorf("ParseRate(%q) = %v, %v; want %s, %v", c.text, rate, err, c.want, c.err)
		}
	}
}

func TestConversionWithoutRateOrCurrencyFails(t *testing.T) {
	a := money.Amount{Minor: 1, Currency: money.CNY}
	if _, err := a.MulRate(money.Rate{}, money.USD); !errors.Is(err, money.ErrRate) {
		t.Error(err)
	}
	if _, err := a.Convert(money.One(), money.Rate{}, money.USD); !errors.Is(err, money.ErrRate) {
		t.Error(err)
	}
	if _, err := a.MulRate(money.One(), 0); !errors.Is(err, money.ErrCurrency) {
		t.Error(err)
	}
	most := money.Amount{Minor: math.MaxInt64, Currency: money.CNY}
	if _, err := most.MulRate(money.Rate{Coefficient: 2}, money.CNY); !errors.Is(err, money.ErrOverflow) {
		t.Error(err)
	}
}

func TestSplitAddsUp(t *testing.T) {
	// 100.00 in thirds: 33.34 + 33.33 + 33.33.
	parts, err := money.Amount{Minor: 10000, Currency: money.CNY}.Split(1, 1, 1)
	if err != nil || fmt.Sprint(parts) != "[33.34 CNY 33.33 CNY 33.33 CNY]" {
		t.Errorf("%v %v", parts, err)
	}
	// -1.00 by 2 : 0 : 1: -0.67, 0, -0.33.
	parts, err = money.Amount{Minor: -100, Currency: money.CNY}.Split(2, 0, 1)
	if err != nil || fmt.Sprint(parts) != "[-0.67 CNY 0.00 CNY -0.33 CNY]" {
		t.Errorf("%v %v", parts, err)
	}
	if _, err := (money.Amount{Minor: 1}).Split(0, 0); err == nil {
		t.Error("weights of nothing were accepted")
	}
	rapid.Check(t, func(t *rapid.T) {
		a := money.Amount{Minor: rapid.Int64().Draw(t, "minor"), Currency: money.CNY}
		weights := rapid.SliceOfN(rapid.Uint64Max(math.MaxInt64/8), 1, 8).Draw(t, "weights")
		weights[0]++
		parts, err := a.Split(weights...)
		if err != nil {
			t.Fatal(err)
		}
		sum := money.Amount{Currency: money.CNY}
		for i, p := range parts {
			if weights[i] == 0 && p.Minor != 0 {
				t.Fatalf("%v for nothing", p)
			}
			if sum, err = sum.Add(p); err != nil {
				t.Fatal(err)
			}
		}
		if sum != a {
			t.Fatalf("%v add up to %v, want %v", parts, sum, a)
		}
	})
}

func TestMulDiv(t *testing.T) {
	a := money.Amount{Minor: 1001, Currency: money.CNY}
	if got, err := a.MulDiv(1, 2); err != nil || got.Minor != 500 { // 500.5: 500 is even
		t.Errorf("%v %v", got, err)
	}
	if got, err := (money.Amount{Minor: -1003, Currency: money.CNY}).MulDiv(1, 2); err != nil || got.Minor != -502 {
		t.Errorf("%v %v", got, err)
	}
	if _, err := a.MulDiv(1, 0); err == nil {
		t.Error("divided by zero")
	}
}

func TestTextsReadBack(t *testing.T) {
	type all struct {
		Amount   money.Amount
		Currency money.Currency
		Rate     money.Rate
	}
	for _, want := range []all{{}, {money.Amount{Minor: -123456, Currency: money.KWD}, money.JPY, money.Rate{Coefficient: 71234, Scale: 4}}} {
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got all
		if err := json.Unmarshal(text, &got); err != nil || got != want {
			t.Errorf("%s read back as %v, %v", text, got, err)
		}
	}
	var a money.Amount
	for _, bad := range []string{"", "1.00", "1.00CNY", "CNY", "1.00 CNY ", "x CNY"} {
		if err := a.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q was read as %v", bad, a)
		}
	}
}

func FuzzParseAmount(f *testing.F) {
	for _, seed := range []string{"1234.50", "-0.01", "92233720368547758.07", ".", "5.00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, c := range []money.Currency{money.JPY, money.CNY, money.KWD} {
			a, err := money.ParseAmount(text, c)
			if err != nil {
				continue
			}
			again, err := money.ParseAmount(a.Decimal(), c)
			exact, ok := new(big.Rat).SetString(text)
			number, _ := new(big.Rat).SetString(a.Decimal())
			if err != nil || again != a || !ok || exact.Cmp(number) != 0 {
				t.Errorf("%q was read as %v, %v; again %v", text, a, err, again)
			}
		}
	})
}

func BenchmarkMulRate(b *testing.B) {
	a, rate := money.Amount{Minor: 123456789, Currency: money.USD}, money.Rate{Coefficient: 71234, Scale: 4}
	for b.Loop() {
		if _, err := a.MulRate(rate, money.CNY); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseAmount(b *testing.B) {
	text := []byte("123456.78")
	for b.Loop() {
		if _, err := money.ParseAmount(text, money.CNY); err != nil {
			b.Fatal(err)
		}
	}
}
