package text

import (
	"strings"
	"testing"
)

func TestLegalForm(t *testing.T) {
	for _, c := range []struct{ in, core, form string }{
		// Mainland China, Taiwan, Hong Kong.
		{"台灣水泥股份有限公司", "台灣水泥", "股份有限公司"},
		{"贵州茅台酒股份有限公司", "贵州茅台酒", "股份有限公司"},
		{"小米科技有限责任公司", "小米科技", "有限责任公司"},
		{"阿里巴巴（中国）有限公司", "阿里巴巴（中国）", "有限公司"},
		{"海尔集团公司", "海尔集团", "公司"},
		{"上海电气集团股份有限公司", "上海电气集团", "股份有限公司"},
		{"深圳某某合伙企业（有限合伙）", "深圳某某", "合伙企业（有限合伙）"},
		{"某某会计师事务所(特殊普通合伙)", "某某会计师事务所", "(特殊普通合伙)"},
		{"某某面馆（个体工商户）", "某某面馆", "（个体工商户）"},
		{"某某蔬菜农民专业合作社", "某某蔬菜", "农民专业合作社"},
		{"永大兩合公司", "永大", "兩合公司"},
		{"台灣水泥 股份有限公司", "台灣水泥", "股份有限公司"},
		// Branches.
		{"中国工商银行股份有限公司北京分行", "中国工商银行北京分行", "股份有限公司"},
		{"华为技术有限公司深圳分公司", "华为技术深圳分公司", "有限公司"},
		{"国泰君安证券股份有限公司上海江苏路证券营业部", "国泰君安证券上海江苏路证券营业部", "股份有限公司"},
		{"顺丰北京分公司", "顺丰北京分公司", ""},
		// Remarks.
		{"百和興業股份有限公司(開曼)", "百和興業(開曼)", "股份有限公司"},
		{"某某科技有限公司（筹）", "某某科技（筹）", "有限公司"},
		{"Acme Ltd (UK)", "Acme (UK)", "Ltd"},
		{"Acme (UK)", "Acme (UK)", ""},
		// Short names.
		{"华泰股份", "华泰", "股份"},
		// Japan, Korea, Thailand.
		{"株式会社トヨタ", "トヨタ", "株式会社"},
		{"トヨタ自動車株式会社", "トヨタ自動車", "株式会社"},
		{"トヨタ自動車(株)", "トヨタ自動車", "(株)"},
		{"㈱日立製作所", "日立製作所", "㈱"},
		{"삼성전자 주식회사", "삼성전자", "주식회사"},
		{"(주)카카오", "카카오", "(주)"},
		{"บริษัท ปตท จำกัด (มหาชน)", "ปตท", "บริษัท จำกัด (มหาชน)"},
		// Latin.
		{"Acme Trading Co., Ltd.", "Acme Trading", "Co., Ltd."},
		{"ACME TRADING CO.,LTD", "ACME TRADING", "CO.,LTD"},
		{"Acme (Holdings) Limited", "Acme (Holdings)", "Limited"},
		{"Acme (Pty) Ltd", "Acme", "(Pty) Ltd"},
		{"Acme Sdn. Bhd.", "Acme", "Sdn. Bhd."},
		{"Acme Pte Ltd", "Acme", "Pte Ltd"},
		{"Apple Inc.", "Apple", "Inc."},
		{"Yahoo! Inc.", "Yahoo!", "Inc."},
		{"Ford Motor Company", "Ford Motor", "Company"},
		{"Siemens Aktiengesellschaft", "Siemens", "Aktiengesellschaft"},
		{"Müller GmbH & Co. KG", "Müller", "GmbH & Co. KG"},
		{"Nestlé S.A.", "Nestlé", "S.A."},
		{"Fiat S.p.A.", "Fiat", "S.p.A."},
		{"Danske Bank A/S", "Danske Bank", "A/S"},
		{"Nokia Oyj", "Nokia", "Oyj"},
		{"Philips N.V.", "Philips", "N.V."},
		{"Orlen Sp. z o.o.", "Orlen", "Sp. z o.o."},
		{"Škoda a.s.", "Škoda", "a.s."},
		{"Cemex S.A.B. de C.V.", "Cemex S.A.B. de C.V.", ""},
		{"Química S.A. de C.V.", "Química", "S.A. de C.V."},
		{"Petrobras S/A", "Petrobras", "S/A"},
		{"PT Bank Mandiri Tbk", "Bank Mandiri", "PT Tbk"},
		{"SARL Dupont", "Dupont", "SARL"},
		{"Smith & Co", "Smith", "Co"},
		// Cyrillic and Hebrew.
		{"ООО «Ромашка»", "Ромашка", "ООО"},
		{"Общество с ограниченной ответственностью Ромашка", "Ромашка", "Общество с ограниченной ответственностью"},
		{"Ромашка ЕООД", "Ромашка", "ЕООД"},
		{"טבע בע\"מ", "טבע", "בע\"מ"},
		// No form, or nothing but a form.
		{"", "", ""},
		{"Google", "Google", ""},
		{"張三", "張三", ""},
		{"有限公司", "有限公司", ""},
		{"S.p.A.", "S.p.A.", ""},
		{"GmbH & Co. KG", "GmbH & Co. KG", ""},
		{"株洲商会", "株洲商会", ""},
		{"A O Smith", "A O Smith", ""},
		{"  Acme Ltd ", "  Acme", "Ltd "},
	} {
		if core, form := LegalForm(c.in); core != c.core || form != c.form {
			t.Errorf("LegalForm(%q) = %q, %q; want %q, %q", c.in, core, form, c.core, c.form)
		}
	}
}

func TestLegalFormsAreFoldedAndDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range listPairs(legalFormText) {
		if key := strings.ReplaceAll(Fold(p[0]), " ", ""); key != p[0] || seen[key] {
			t.Errorf("%q folds to %q", p[0], key)
		}
		seen[p[0]] = true
		if p[1] != "suffix" && p[1] != "prefix" && p[1] != "both" {
			t.Errorf("%q stands at %q", p[0], p[1])
		}
	}
}

func FuzzLegalForm(f *testing.F) {
	for _, s := range []string{"台灣水泥股份有限公司", "Acme Co., Ltd.", "ООО Ромашка", "(株)", "㈱㈱", "某某有限公司上海分公司"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		core, form := LegalForm(s)
		if form == "" && core != s {
			t.Errorf("LegalForm(%q) = %q without a form", s, core)
		}
		if len(core)+len(form) > len(s)+1 || Fold(core) == "" && Fold(s) != "" {
			t.Errorf("LegalForm(%q) = %q, %q", s, core, form)
		}
	})
}

func BenchmarkLegalForm(b *testing.B) {
	for _, c := range []struct{ name, in string }{
		{"Han", "台灣水泥股份有限公司"},
		{"Latin", "Acme Trading Co., Ltd."},
		{"none", "王小明五金百貨商店"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink, _ = LegalForm(c.in)
			}
		})
	}
}

// Each form of the list is taken off a name that nothing else stands in.
func TestEveryListedFormIsFound(t *testing.T) {
	for _, p := range listPairs(legalFormText) {
		form, core, between := p[0], "Qwzx", " "
		if strings.ContainsFunc(form, Han) {
			core, between = "甲乙丙", ""
		}
		if p[1] != "prefix" {
			if c, f := LegalForm(core + between + form); c != core || f != form {
				t.Errorf("%s behind %s: %q and %q", form, core, c, f)
			}
		}
		if p[1] != "suffix" {
			if c, f := LegalForm(form + between + core); c != core || f != form {
				t.Errorf("%s before %s: %q and %q", form, core, c, f)
			}
		}
	}
}
