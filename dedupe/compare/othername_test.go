package compare

import (
	"slices"
	"testing"
)

func TestNamesThatGiveTwo(t *testing.T) {
	for _, x := range []struct {
		name string
		want []string
	}{
		{"The Ottawa Hospital / L'Hôpital d'Ottawa", []string{"The Ottawa Hospital", "L'Hôpital d'Ottawa"}},
		{"Matheson / Iroquois Falls / Cochrane group", nil},
		{"Salt / Pepper", nil},
		{"AC/DC Trading Ltd", nil},
		{"Acme Ltd t/a Bolts4U", []string{"Acme Ltd", "Bolts4U"}},
		{"Acme Ltd T/A Bolts4U Shop", []string{"Acme Ltd", "Bolts4U Shop"}},
		{"ACME HOLDINGS LLC DBA BEST BOLTS", []string{"ACME HOLDINGS LLC", "BEST BOLTS"}},
		{"Acme Holdings d.b.a. Best Bolts", []string{"Acme Holdings", "Best Bolts"}},
		{"Acme trading as Best Bolts", []string{"Acme", "Best Bolts"}},
		{"Acme doing business as Best Bolts", []string{"Acme", "Best Bolts"}},
		{"Bolts Ltd formerly known as Nuts Ltd", []string{"Bolts Ltd", "Nuts Ltd"}},
		{"Bolts Ltd (formerly Nuts Ltd)", []string{"Bolts Ltd ", "Nuts Ltd"}},
		{"Bolts Ltd (f/k/a Nuts Ltd)", []string{"Bolts Ltd ", "Nuts Ltd"}},
		{"Bolts Ltd formerly: Nuts Ltd", []string{"Bolts Ltd", "Nuts Ltd"}},
		{"Acme\u00a0Ltd\u00a0dba\u00a0Best\u00a0Bolts", []string{"Acme Ltd", "Best Bolts"}},
		{"Robert T. A. Smith", nil},
		{"SMITH T A & SONS", nil},
		{"A. Biliris, T.A. Funkhouser, W. O'Connell", nil},
		{"Acme (UK) Ltd", nil},
		{"Acme Ltd (Best of Bolts)", nil},
		{"Casa a Mare", nil},
		{"DBA Software Inc", nil},
		{"Family Foods", nil},
		{"深圳市宝安区人民医院（深圳市第八人民医院）", []string{"深圳市宝安区人民医院", "深圳市第八人民医院"}},
		{"众行科技有限公司（原泰安众行科技有限公司）", []string{"众行科技有限公司", "泰安众行科技有限公司"}},
		{"众行科技有限公司(曾用名：泰安众行)", nil},
		{"众行科技有限公司(曾用名：泰安众行科技)", []string{"众行科技有限公司", "泰安众行科技"}},
		{"中山大学附属第一医院（黄埔院区）", nil},
		{"中国银行股份有限公司（北京海淀支行）", nil},
		{"立信会计师事务所（特殊普通合伙）", nil},
		{"宁波众合投资（有限合伙）", nil},
		{"张三便利店（个体工商户）", nil},
		{"和平医药（深圳）有限公司", nil},
		{"华为技术有限公司（中国）", nil},
		{"", nil},
		{"（）", nil},
		{" / ", nil},
	} {
		got := otherNames(x.name)
		if !slices.Equal(got, x.want) || (got == nil) != (x.want == nil) {
			t.Errorf("%q: %q; want %q", x.name, got, x.want)
		}
	}
}

// Either of its names finds an organisation.
func TestEitherNameIsEqual(t *testing.T) {
	for _, typ := range []Type{Name, OrganisationName} {
		c, err := New(typ, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range [][2]string{
			{"深圳市宝安区人民医院（深圳市第八人民医院）", "深圳市第八人民医院"},
			{"深圳市宝安区人民医院（深圳市第八人民医院）", "深圳市宝安区人民医院"},
			{"Kingston General Hospital", "kingston general hospital / hôpital général de kingston"},
			{"Best Bolts", "Acme Holdings LLC dba Best Bolts"},
			{"Acme Holdings LLC dba Best Bolts | Nuts Ltd", "Best Bolts"},
			{"n/a dba Best Bolts", "Best Bolts"},
		} {
			if got := c.Compare(c.Prepare(x[0]), c.Prepare(x[1])).Level; got != Exact {
				t.Errorf("%s %q: level %d; want %d", typ, x, got, Exact)
			}
		}
	}
}

// A list and a name that gives two are not compared alike, and so have not the same key.
func TestSecondNamesHaveOtherKeysThanLists(t *testing.T) {
	c := comparator(t, OrganisationName)
	if list, second := c.Prepare("Acme Ltd | Best Bolts"), c.Prepare("Acme Ltd dba Best Bolts"); list.Key() == second.Key() {
		t.Errorf("both have the key %q", list.Key())
	}
}

// What many have for a second name, a brand, a place, a department or a remark, makes no two of them one.
func TestSecondNamesAloneAreNotEqual(t *testing.T) {
	for _, x := range []struct {
		typ  Type
		a, b string
	}{
		{OrganisationName, "KRS Foods LLC dba Dunkin Donuts", "Patel Bros Inc dba Dunkin Donuts"},
		{Name, "KRS Foods LLC dba Dunkin Donuts | KRS", "Patel Bros Inc dba Dunkin Donuts | Patel"},
		{OrganisationName, "Starbucks Coffee / New York", "Pizza Hut / New York"},
		{Name, "Siemens AG / Accounts Payable", "Bosch GmbH / Accounts Payable"},
		{OrganisationName, "Salvation Army - Temple / Salvation Army", "Salvation Army - Columbus Park / Salvation Army"},
		{OrganisationName, "众行科技有限公司（外商投资企业）", "华为技术有限公司（外商投资企业）"},
		{PersonName, "Smith, John (Tenant)", "Smith, Mary (Tenant)"},
		{PersonName, "John (Tenant) Smith", "Mary (Tenant) Smith"},
	} {
		c := comparator(t, x.typ)
		if got := c.Compare(c.Prepare(x.a), c.Prepare(x.b)).Level; got >= Exact-1 {
			t.Errorf("%s %q and %q: level %d", x.typ, x.a, x.b, got)
		}
	}
}
