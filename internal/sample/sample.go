package sample

import (
	"iter"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/clientele-go/clientele/customer"
)

// Customers returns n customers with the ids 1 to n. The customer at an index
// depends on the seed and the index alone. Codes, source keys and identifiers are
// unique up to ten million customers of a seed; names and phones repeat as they do
// in life. Each customer is the receiver's own; making one takes about 2 µs.
func Customers(seed uint64, n int) iter.Seq[*customer.Customer] {
	return func(yield func(*customer.Customer) bool) {
		for i := range n {
			if !yield(Customer(seed, i)) {
				return
			}
		}
	}
}

// Customer returns the customer at an index from 0 on.
func Customer(seed uint64, index int) *customer.Customer {
	d := dice{index: uint64(index)}
	d.pcg.Seed(seed, uint64(index))
	c := &customer.Customer{
		ID:      customer.ID(index + 1),
		Version: 1,
		Code:    "C" + padded(uint64(index+1), 6),
		Created: epoch.Add(time.Duration(index) * 31 * time.Second),
		Owner:   customer.UnitID(1 + d.low(50)),
		Rep:     "rep" + padded(uint64(d.low(200)), 3),
		Actor:   "import",
	}
	c.Recorded = c.Created
	d.stage(c)
	switch p := d.n(100); {
	case p < 60:
		d.mainlandCompany(c)
	case p < 68:
		d.taiwanCompany(c)
	case p < 83:
		d.mainlandPerson(c)
	case p < 85:
		d.taiwanPerson(c)
	case p < 95:
		d.englishCompany(c)
	default:
		d.englishPerson(c)
	}
	d.extras(c)
	return c
}

var epoch = time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC)

// dice draws the parts of the customer at an index.
type dice struct {
	pcg   rand.PCG
	index uint64
	buf   [96]byte
}

// n returns a number from 0 to below limit, each as likely.
func (d *dice) n(limit int) int { return int((d.pcg.Uint64() >> 32) * uint64(limit) >> 32) }

// low is like n, with small numbers more likely: the lower half comes 85 times of 100.
func (d *dice) low(limit int) int {
	n := d.pcg.Uint64()
	return int((n >> 32) * (n & 0xffffffff) >> 32 * uint64(limit) >> 32)
}

func (d *dice) chance(percent int) bool { return d.n(100) < percent }

func one[T any](d *dice, from []T) T    { return from[d.n(len(from))] }
func common[T any](d *dice, from []T) T { return from[d.low(len(from))] }

// stage gives the customer its kind and status.
func (d *dice) stage(c *customer.Customer) {
	if d.chance(20) {
		c.Kind = customer.Prospect
		if d.chance(25) {
			c.Kind = customer.Partner
		}
	}
	if d.chance(7) {
		c.Status = customer.Archived
		if d.chance(30) {
			c.Status = customer.Suspended
		}
	}
}

func (d *dice) mainlandCompany(c *customer.Customer) {
	where := common(d, mainland)
	mark, domain := d.mark(false)
	trade := common(d, trades).simplified
	c.Country = "CN"
	c.Name = where.short + mark + trade + one(d, mainlandForms)
	if where.city != "" && d.chance(40) {
		c.Name = where.city + mark + trade + one(d, mainlandForms)
	}
	if d.chance(15) {
		c.Aliases = []string{mark + trade}
	}
	c.Identifiers = []customer.Identifier{{Scheme: "cn.uscc", Value: unifiedCode(where.division, d.index)}}
	c.Phones = []customer.Phone{d.landline(where, "86", "0"+where.trunk+"-")}
	if d.chance(40) {
		c.Phones = append(c.Phones, d.mobile("mobile"))
	}
	d.mailAt(c, d.host(domain)+common(d, domains), 55)
	c.Addresses = []customer.Address{d.mainlandAddress(where)}
	if d.chance(35) {
		who, _ := d.person(false)
		c.Contacts = []customer.Contact{{Name: who, Role: one(d, roles), Phone: d.mobileDigits()}}
	}
}

func (d *dice) taiwanCompany(c *customer.Customer) {
	where := one(d, taiwan)
	mark, domain := d.mark(true)
	c.Country = "TW"
	c.Name = mark + common(d, trades).traditional + one(d, taiwanForms)
	if d.chance(30) {
		c.Name = where.short + c.Name
	}
	c.Identifiers = []customer.Identifier{{Scheme: "tw.ubn", Value: businessNumber(d.index)}}
	c.Phones = []customer.Phone{d.landline(where, "886", "(0"+where.trunk+")")}
	d.mailAt(c, d.host(domain)+".com.tw", 60)
	c.Addresses = []customer.Address{d.taiwanAddress(where)}
	if d.chance(35) {
		who, _ := d.person(true)
		c.Contacts = []customer.Contact{{Name: who, Role: "會計"}}
	}
}

func (d *dice) mainlandPerson(c *customer.Customer) {
	where := common(d, mainland)
	name, spelled := d.person(false)
	c.Party, c.Country, c.Name = customer.Person, "CN", name
	if d.chance(40) {
		c.Identifiers = []customer.Identifier{{Scheme: "cn.resident", Value: residentNumber(where.division, d.index)}}
	}
	c.Phones = []customer.Phone{d.mobile("mobile")}
	d.mail(c, spelled+strconv.Itoa(d.n(10000)), common(d, freeMail), 40)
	c.Addresses = []customer.Address{d.mainlandAddress(where)}
}

func (d *dice) taiwanPerson(c *customer.Customer) {
	where := one(d, taiwan)
	name, spelled := d.person(true)
	c.Party, c.Country, c.Name = customer.Person, "TW", name
	c.Phones = []customer.Phone{{Label: "mobile"}}
	digits := "09" + d.digits(8)
	c.Phones[0].Number, c.Phones[0].E164 = digits, "+886"+digits[1:]
	d.mail(c, spelled+strconv.Itoa(d.n(10000)), common(d, freeMail), 60)
	c.Addresses = []customer.Address{d.taiwanAddress(where)}
}

func (d *dice) englishCompany(c *customer.Customer) {
	first, trade := one(d, englishBrands), one(d, englishTrades)
	if d.chance(40) {
		first = one(d, lastNames)
		if d.chance(50) {
			first += " & " + one(d, lastNames)
		}
	}
	c.Name = first + " " + trade + " " + one(d, englishForms)
	c.Identifiers = []customer.Identifier{{Scheme: "lei", Value: entityIdentifier(d.index)}}
	domain := strings.ToLower(inDomain.Replace(first + trade))
	d.abroad(c)
	d.mailAt(c, domain+".com", 80)
	if d.chance(50) {
		c.Website = "https://www." + domain + ".com"
	}
	if d.chance(40) {
		c.Contacts = []customer.Contact{{Name: one(d, firstNames) + " " + one(d, lastNames), Role: "Accounts payable"}}
	}
}

func (d *dice) englishPerson(c *customer.Customer) {
	first, last := common(d, firstNames), one(d, lastNames)
	c.Party, c.Name = customer.Person, first+" "+last
	d.abroad(c)
	d.mail(c, strings.ToLower(first+"."+last)+strconv.Itoa(d.n(1000)), common(d, freeMail), 80)
}

var inDomain = strings.NewReplacer(" ", "", "&", "")

// abroad gives the customer an address and a phone in an English-speaking country.
func (d *dice) abroad(c *customer.Customer) {
	where := one(d, englishPlaces)
	c.Country = where.country
	c.Addresses = []customer.Address{{
		Text: strconv.Itoa(1+d.n(300)) + " " + one(d, streets) + ", " + where.city, Country: where.country,
	}}
	local := where.begin + d.digits(where.digits)
	number := strings.TrimSpace(where.trunk + where.area + " " + local)
	c.Phones = []customer.Phone{{Number: number, E164: "+" + where.calling + where.area + local}}
}

// extras adds what only some customers have.
func (d *dice) extras(c *customer.Customer) {
	if d.chance(40) {
		c.Attributes = []customer.Attribute{
			{Name: "industry", Value: customer.EnumValue(common(d, industries))},
			{Name: "level", Value: customer.EnumValue(common(d, levels))},
		}
	}
	if d.chance(20) {
		c.SourceKeys = []customer.SourceKey{{System: "erp", Key: "K" + padded(d.index, 7)}}
	}
}

// mark draws the distinctive part of a company's name and how a domain spells it.
func (d *dice) mark(traditional bool) (name, spelled string) {
	characters := 2
	switch p := d.n(100); {
	case p < 15:
		characters = 3
	case p < 22:
		characters = 4
	}
	return d.glyphs(brand, characters, traditional)
}

// host makes a domain of how a name is spelled; half of them had to add letters, as
// the plain one was taken.
func (d *dice) host(spelled string) string {
	if d.chance(50) {
		return spelled
	}
	return spelled + string([]byte{'a' + byte(d.n(26)), 'a' + byte(d.n(26))})
}

// person draws a Chinese person's name and how an e-mail address spells it.
func (d *dice) person(traditional bool) (name, spelled string) {
	family := common(d, surnames)
	characters := 2
	if d.chance(20) {
		characters = 1
	}
	first, spelled := d.glyphs(given, characters, traditional)
	if traditional {
		return family.traditional + first, family.pinyin + spelled
	}
	return family.simplified + first, family.pinyin + spelled
}

func (d *dice) glyphs(from []glyph, n int, traditional bool) (written, spelled string) {
	var parts, sounds [4]string
	for i := range n {
		g := common(d, from)
		parts[i], sounds[i] = g.simplified, g.pinyin
		if traditional {
			parts[i] = g.traditional
		}
	}
	return strings.Join(parts[:n], ""), strings.Join(sounds[:n], "")
}

func (d *dice) landline(where place, calling, prefix string) customer.Phone {
	first := 2 // every area has numbers with 2; mainland ones go on to 6 everywhere
	if calling == "86" {
		first += d.n(5)
	}
	local := strconv.Itoa(first) + d.digits(where.localDigits-1)
	return customer.Phone{Label: "office", Number: prefix + local, E164: "+" + calling + where.trunk + local}
}

func (d *dice) mobile(label string) customer.Phone {
	digits := d.mobileDigits()
	return customer.Phone{Label: label, Number: digits, E164: "+86" + digits}
}

func (d *dice) mobileDigits() string {
	return one(d, mobilePrefixes) + d.digits(8)
}

// mailAt gives the customer an office address at a domain, in percent of the cases.
func (d *dice) mailAt(c *customer.Customer, domain string, percent int) {
	d.mail(c, common(d, mailLocals), domain, percent)
}

func (d *dice) mail(c *customer.Customer, local, domain string, percent int) {
	if d.chance(percent) {
		c.Emails = []customer.Email{{Address: local + "@" + domain}}
	}
}

func (d *dice) mainlandAddress(where place) customer.Address {
	b := append(d.buf[:0], where.province...)
	b = append(b, where.city...)
	b = append(b, where.district...)
	b = append(b, common(d, roads).simplified...)
	b = strconv.AppendInt(b, int64(1+d.n(999)), 10)
	b = append(b, "号"...)
	if d.chance(60) {
		b = append(b, one(d, brand).simplified...)
		b = append(b, one(d, brand).simplified...)
		b = append(b, one(d, buildings)...)
		b = strconv.AppendInt(b, int64(101+d.n(2500)), 10)
		b = append(b, "室"...)
	}
	city := where.city
	if city == "" {
		city = where.province
	}
	return customer.Address{
		Text: string(b), Country: "CN", Province: where.province, City: city,
		District: where.district, Division: where.division,
	}
}

func (d *dice) taiwanAddress(where place) customer.Address {
	b := append(d.buf[:0], where.province...)
	b = append(b, where.city...)
	b = append(b, where.district...)
	b = append(b, common(d, roads).traditional...)
	if d.chance(40) {
		b = append(b, one(d, sections)...)
	}
	b = strconv.AppendInt(b, int64(1+d.n(600)), 10)
	b = append(b, "號"...)
	if d.chance(50) {
		b = strconv.AppendInt(b, int64(1+d.n(30)), 10)
		b = append(b, "樓"...)
	}
	city := where.city
	if city == "" {
		city = where.province
	}
	return customer.Address{
		Text: string(b), Country: "TW", Province: where.province, City: city, District: where.district,
	}
}

// padded returns n in decimal with leading zeros up to the width.
func padded(n uint64, width int) string {
	s := strconv.FormatUint(n, 10)
	if len(s) >= width {
		return s
	}
	return zeros[:width-len(s)] + s
}

const zeros = "00000000"

// digits returns width decimal digits.
func (d *dice) digits(width int) string {
	return string(appendDecimal(d.buf[:0], d.pcg.Uint64(), width))
}

// Schema declares the custom attributes that sample customers have.
func Schema() *customer.Schema {
	return &customer.Schema{Attributes: []customer.AttributeSpec{
		{Name: "industry", Type: customer.Enum, Values: industries, Indexed: true},
		{Name: "level", Type: customer.Enum, Values: levels, Indexed: true},
	}}
}
