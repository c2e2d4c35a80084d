package stocktake

import (
	"fmt"
	"strings"

	"github.com/clientele-go/clientele/customer"
)

// Reports are made in English and in simplified Chinese; see package report.

func names(en, zh string) customer.Names { return customer.Names{"en": en, "zh-Hans": zh} }

var (
	labelNone   = names("None", "无")
	labelErased = names("Erased since", "已删除")
	labelHidden = names("Hidden from you", "无权查看")
	labelRest   = names("Others", "其他")
)

var fieldTitles = map[string]customer.Names{
	"status": names("Status", "状态"), "kind": names("Kind", "类别"), "party": names("Party", "主体"), "owner": names("Owner unit", "所属组织"),
	"rep": names("Sales representative", "业务员"), "country": names("Country", "国家"), "province": names("Province", "省份"),
	"city": names("City", "城市"), "created": names("Created in", "建档月份"),
}

var valueLabels = map[string]map[string]customer.Names{
	"status": {
		"active": names("Active", "启用"), "suspended": names("Suspended", "暂停"), "archived": names("Archived", "归档"),
		"merged": names("Merged", "已合并"), "erased": names("Erased", "已删除"),
	},
	"kind":  {"buyer": names("Buyer", "买方"), "prospect": names("Prospect", "潜在客户"), "partner": names("Partner", "合作伙伴")},
	"party": {"organisation": names("Organisation", "单位"), "person": names("Person", "个人")},
}

// rule says in words who counts.
func (d *Definition) rule() customer.Names {
	en, zh := []string{}, []string{}
	add := func(e, z string) { en, zh = append(en, e), append(zh, z) }
	values := func(field string, of []string) (string, string) {
		e, z := make([]string, len(of)), make([]string, len(of))
		for i, v := range of {
			label := valueLabels[field][v]
			e[i], z[i] = strings.ToLower(label["en"]), label["zh-Hans"]
		}
		return strings.Join(e, " or "), strings.Join(z, "或")
	}
	e, z := values("status", textsOf(d.statuses()))
	add("status: "+e, "状态："+z)
	if len(d.Kinds) > 0 {
		e, z := values("kind", textsOf(d.Kinds))
		add("kind: "+e, "类别："+z)
	}
	if len(d.Parties) > 0 {
		e, z := values("party", textsOf(d.Parties))
		add("party: "+e, "主体："+z)
	}
	if d.Expanded != "" {
		add("filter: "+d.Expanded, "筛选："+d.Expanded)
	}
	if len(d.Units) > 0 {
		list := strings.Trim(fmt.Sprint(d.Units), "[]")
		add("units and those below: "+list, "组织及下级："+list)
	}
	switch d.Balance {
	case WithBalance:
		add("with an open balance", "有未清余额")
	case WithoutBalance:
		add("without an open balance", "无未清余额")
	}
	if b := d.Bought; b != nil {
		what, was := "an event or an invoice", "业务记录或开票"
		if len(b.Types) > 0 {
			what = strings.Join(b.Types, " or ")
			was = strings.Join(b.Types, "或")
		}
		add(fmt.Sprintf("%s in the %d months before", what, b.Months), fmt.Sprintf("此前%d个月内有%s", b.Months, was))
	}
	add("a merged record counts once, with the one that stands for it", "已合并记录只计主记录一次")
	return names(strings.Join(en, "; "), strings.Join(zh, "；"))
}

// figures says in words where the figures come from.
func (d *Definition) figures() customer.Names {
	var en, zh []string
	for _, x := range []struct {
		en, zh string
		*Measure
	}{{"revenue", "收入", d.Revenue}, {"profit", "毛利", d.Profit}} {
		switch {
		case x.Measure == nil:
		case x.Attribute != "":
			en = append(en, fmt.Sprintf("%s: the field %s at the closing, in %s", x.en, x.Attribute, x.Currency))
			zh = append(zh, fmt.Sprintf("%s：期末字段 %s，币种 %s", x.zh, x.Attribute, x.Currency))
		default:
			en = append(en, fmt.Sprintf("%s: invoiced less credited in the %d complete months before the closing", x.en, x.months()))
			zh = append(zh, fmt.Sprintf("%s：期末前%d个完整月份的开票净额", x.zh, x.months()))
		}
	}
	if len(en) == 0 {
		return nil
	}
	return names(strings.Join(en, "; "), strings.Join(zh, "；"))
}
