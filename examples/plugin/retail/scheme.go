package retail

import (
	"strings"

	"github.com/clientele-go/clientele/customer/identifier"
)

// GLN is the scheme of Global Location Numbers, gs1.gln: 13 digits of which the last is
// the check digit of GS1 General Specifications §7.9. Spaces, hyphens and the application
// identifier (414) in front are dropped.
func GLN() identifier.Scheme {
	return identifier.Scheme{
		Name:   "gs1.gln",
		Title:  map[string]string{"en": "Global Location Number", "zh": "全球位置码", "zh-Hant": "全球位置碼"},
		Unique: true,
		Parse:  parseGLN,
	}
}

func parseGLN(raw string) (string, error) {
	number := strings.NewReplacer(" ", "", "-", "").Replace(raw)
	number = strings.TrimPrefix(number, "(414)")
	if len(number) != 13 || strings.Trim(number, "0123456789") != "" {
		return "", identifier.Invalid("is not 13 digits", "compare it with the GS1 register")
	}
	if strings.Trim(number, "0") == "" {
		return "", identifier.Invalid("is a placeholder", "leave it out if it is not known")
	}
	sum := 0
	for i := range 13 {
		weight := 1 + 2*(i%2) // 1, 3, 1, 3, …
		sum += weight * int(number[i]-'0')
	}
	if sum%10 != 0 {
		return "", identifier.Invalid("fails its check digit", "compare it with the GS1 register")
	}
	return number, nil
}
