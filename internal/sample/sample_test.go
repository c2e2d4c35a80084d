package sample

import (
	"math/big"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/clientele-go/clientele/customer"
)

func TestCustomerDependsOnSeedAndIndexAlone(t *testing.T) {
	var all []*customer.Customer
	for c := range Customers(7, 50) {
		all = append(all, c)
	}
	if got := Customer(7, 49); !reflect.DeepEqual(got, all[49]) {
		t.Errorf("customer 49 alone is %+v, in a row %+v", got, all[49])
	}
	if got := Customer(8, 49); reflect.DeepEqual(got, all[49]) {
		t.Error("another seed made the same customer")
	}
}

// Published numbers, shown to pass the same check that the generator applies:
// 91350100M000100Y43 is the example of GB 32100-2015; 440524188001010014 and
// 11010519491231002X those of GB 11643-1999; 11913502 is Taiwan Cement's number.
func TestCheckCharactersOfPublishedNumbers(t *testing.T) {
	if !validUnifiedCode("91350100M000100Y43") || validUnifiedCode("91350100M000100Y44") {
		t.Error("the check of unified codes is wrong")
	}
	for _, number := range []string{"440524188001010014", "11010519491231002X"} {
		if !validResidentNumber(number) {
			t.Errorf("%s is valid", number)
		}
	}
	if !validBusinessNumber("11913502") || validBusinessNumber("11913503") {
		t.Error("the check of business numbers is wrong")
	}
	if !validEntityIdentifier("5493001KJTIIGC8Y1R12") || validEntityIdentifier("5493001KJTIIGC8Y1R13") {
		t.Error("the check of legal entity identifiers is wrong")
	}
}

func TestIdentifiersAreValidAndUnique(t *testing.T) {
	check := map[string]func(string) bool{
		"cn.uscc": validUnifiedCode, "cn.resident": validResidentNumber,
		"tw.ubn": validBusinessNumber, "lei": validEntityIdentifier,
	}
	seen := map[customer.Identifier]bool{}
	kinds := map[string]int{}
	for c := range Customers(1, 5_000) {
		if !utf8.ValidString(c.Name) || c.Name == "" || strings.TrimSpace(c.Name) != c.Name {
			t.Fatalf("customer %d is named %q", c.ID, c.Name)
		}
		for _, id := range c.Identifiers {
			if !check[id.Scheme](id.Value) {
				t.Fatalf("customer %d: %s %s fails its check", c.ID, id.Scheme, id.Value)
			}
			if seen[id] {
				t.Fatalf("customer %d: %s %s came before", c.ID, id.Scheme, id.Value)
			}
			seen[id] = true
			kinds[id.Scheme]++
		}
	}
	for scheme := range check {
		if kinds[scheme] < 100 {
			t.Errorf("%d identifiers of %s among 5,000 customers", kinds[scheme], scheme)
		}
	}
}

func TestCodesStayUniqueBeyondTheirWidth(t *testing.T) {
	if a, b := Customer(1, 999_999).Code, Customer(1, 0).Code; a != "C1000000" || b != "C000001" {
		t.Errorf("codes are %s and %s, want C1000000 and C000001", a, b)
	}
}

func validUnifiedCode(s string) bool {
	sum, weight := 0, 1
	for i := range 18 {
		sum += strings.IndexByte(usccAlphabet, s[i]) * weight
		weight = weight * 3 % 31
	}
	// The check character has the weight 1 in GB 32100-2015 §4.4.
	check := strings.IndexByte(usccAlphabet, s[17])
	return (sum-check*(pow(3, 17)%31)+check)%31 == 0
}

func pow(base, n int) int {
	result := 1
	for range n {
		result *= base
	}
	return result
}

func validResidentNumber(s string) bool {
	sum := 0
	for i := range 18 {
		digit := int(s[i] - '0')
		if s[i] == 'X' {
			digit = 10
		}
		sum += digit * (1 << (17 - i))
	}
	return sum%11 == 1
}

func validBusinessNumber(s string) bool {
	sum := 0
	for i, weight := range []int{1, 2, 1, 2, 1, 2, 4, 1} {
		product := int(s[i]-'0') * weight
		sum += product/10 + product%10
	}
	return sum%10 == 0
}

func validEntityIdentifier(s string) bool {
	var digits strings.Builder
	for _, r := range s {
		digits.WriteString(big.NewInt(int64(strings.IndexRune(alphanumeric, r))).String())
	}
	n, _ := new(big.Int).SetString(digits.String(), 10)
	return new(big.Int).Mod(n, big.NewInt(97)).Int64() == 1
}

func BenchmarkCustomer(b *testing.B) {
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		Customer(1, i)
		i++
	}
}
