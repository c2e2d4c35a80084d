package identifier

func vatRule() rule {
	return rule{
		name: "eu.vat", country: "EU", en: "VAT identification number", zh: "欧盟增值税号", shared: true,
		form:  "give the member state's two letters and the number, such as DE136695976",
		check: checkVAT,
	}
}

// national is how one member state numbers.
type national struct {
	form  string // of what follows the prefix
	check func(number string) (string, *fault)
}

// nationals follow the structures of the Commission's VIES service; the check digits are
// those that the member states publish. Each function receives what follows the prefix.
var nationals = map[string]national{
	"AT": {"U and eight digits", vatAT},
	"BE": {"ten digits, the first 0 or 1", vatBE},
	"BG": {"nine or ten digits", vatBG},
	"CY": {"eight digits and a letter", vatCY},
	"CZ": {"eight to ten digits", vatCZ},
	"DE": {"nine digits, the first not 0", vatDE},
	"DK": {"eight digits, the first not 0", vatDK},
	"EE": {"nine digits", vatEE},
	"EL": {"nine digits", vatEL},
	"ES": {"nine characters, the first or last or both a letter", vatES},
	"FI": {"eight digits", vatFI},
	"FR": {"two digits or letters and nine digits", vatFR},
	"HR": {"eleven digits", vatHR},
	"HU": {"eight digits", vatHU},
	"IE": {"seven digits and one or two letters", vatIE},
	"IT": {"eleven digits", vatIT},
	"LT": {"nine or twelve digits, the last but one 1", vatLT},
	"LU": {"eight digits", vatLU},
	"LV": {"eleven digits", vatLV},
	"MT": {"eight digits, the first not 0", vatMT},
	"NL": {"nine digits, B and two digits", vatNL},
	"PL": {"ten digits", vatPL},
	"PT": {"nine digits, the first not 0", vatPT},
	"RO": {"two to ten digits, the first not 0", vatRO},
	"SE": {"twelve digits, the last two mostly 01", vatSE},
	"SI": {"eight digits, the first not 0", vatSI},
	"SK": {"ten digits, the first not 0", vatSK},
	"XI": {"nine or twelve digits, or GD or HA and three digits", vatXI},
}

var noMember = &fault{"begins with no member state's letters", "write them first, such as DE136695976"}

func checkVAT(number string) (string, *fault) {
	if len(number) < 4 {
		return "", malformed
	}
	prefix := number[:2]
	state := prefix
	if prefix == "GR" {
		state = "EL"
	}
	rule, found := nationals[state]
	if !found {
		return "", noMember
	}
	rest, bad := rule.check(number[2:])
	switch {
	case bad == malformed:
		return "", &fault{bad.reason, "give " + state + " and " + rule.form}
	case bad != nil:
		return "", bad
	case state == prefix && rest == number[2:]:
		return number, nil
	}
	return state + rest, nil
}
