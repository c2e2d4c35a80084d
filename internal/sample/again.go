package sample

import (
	"strings"

	"github.com/clientele-go/clientele/customer"
)

// Again returns a customer as a second clerk records it who doesn't know that it is there:
// without code, identifiers and source keys, with the legal form left out of 40 names of
// 100, a typing error in 25, and one of address, e-mail and contacts missing. The phone
// stays in 85 cases of 100. It depends on the seed and the customer alone.
func Again(seed uint64, c *customer.Customer) customer.Draft {
	d := dice{index: uint64(c.ID)}
	d.pcg.Seed(seed^0x5eed, uint64(c.ID))
	again := c.Draft()
	again.Code, again.Identifiers, again.SourceKeys, again.Website = "", nil, nil, ""
	if d.chance(40) {
		again.Name = withoutForm(again.Name)
	}
	if d.chance(25) {
		again.Name = d.slip(again.Name)
	}
	if d.chance(15) && len(again.Phones) > 0 {
		again.Phones = []customer.Phone{d.mobile("mobile")}
	}
	switch d.n(3) {
	case 0:
		again.Addresses = nil
	case 1:
		again.Emails = nil
	default:
		again.Contacts = nil
	}
	return again
}

// withoutForm cuts the longest legal form off a company's name.
func withoutForm(name string) string {
	short := name
	for _, forms := range [][]string{mainlandForms, taiwanForms, englishForms} {
		for _, form := range forms {
			if cut, ok := strings.CutSuffix(name, form); ok && len(cut) < len(short) && cut != "" {
				short = cut
			}
		}
	}
	return strings.TrimSpace(short)
}

// slip exchanges two neighbouring characters, which are neither the first nor the last
// in names that are long enough.
func (d *dice) slip(name string) string {
	r := []rune(name)
	if len(r) < 5 {
		return name
	}
	i := 1 + d.n(len(r)-3)
	r[i], r[i+1] = r[i+1], r[i]
	return string(r)
}
