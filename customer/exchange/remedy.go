package exchange

import (
	"strings"

	"github.com/clientele-go/clientele/customer"
)

// chineseRemedies are the remedies that faults have, in Chinese. A * stands for what varies,
// in the same order. Those of an embedder's own schemes and packages, which nobody here
// can know, are replaced by what a fault's code calls for.
var chineseRemedies = map[string]string{
	// Of rows and cells.
	"check the file's encoding":                       "请检查文件编码",
	"mend the formula or type the value":              "请修正公式，或直接填写数值",
	"make the column text and export it again":        "请将该列设为文本格式后重新导出",
	"give a unit's code or name":                      "请填写组织的编码或名称",
	"check its digits, or map the column to a scheme": "请核对号码，或将该列对应到具体的证照类型",
	"digits, with at most * behind the point":         "请填写数字，小数不超过*位",
	"write it as 2006-01-02":                          "请写成2006-01-02的形式",
	"write yes or no":                                 "请填写“是”或“否”",
	"create the tag first, or correct the value":      "请先建立该标签，或更正此值",
	"one of *": "可用的值：*",
	"correct it, or map a column by which the other customer is found":            "请更正，或对应一个能找到该客户的列",
	"correct the code, or the number that both rows have":                         "请更正编码，或更正两行共有的号码",
	"correct the row, or merge the customers":                                     "请更正此行，或先合并这些客户",
	"correct the key, or import in a mode that creates":                           "请更正编码，或改用允许新建的方式导入",
	"correct the code, or import in a mode that creates":                          "请更正编码，或改用允许新建的方式导入",
	"leave the row out, or import in a mode that updates":                         "请去掉此行，或改用允许更新的方式导入",
	"import the row once more":                                                    "请重新导入此行",
	"leave the row out":                                                           "请去掉此行",
	"delete the row":                                                              "请删除此行",
	"leave the row out if it is one":                                              "若确为测试数据，请去掉此行",
	"transfer customers, or raise the quota":                                      "请移交部分客户，或提高上限",
	"leave the row out, or import with a policy that flags or creates duplicates": "请去掉此行，或改用标记或新建重复客户的方式导入",

	// Of documents, units and scores.
	"give each document its number, by which it is posted only once":                   "请填写单据编号，以免重复入账",
	"map a column of dates, or give the import's Day":                                  "请对应日期列，或为整个导入指定日期",
	"give its ISO 4217 code, such as CNY":                                              "请填写ISO 4217币种代码，例如CNY",
	"give a document one amount":                                                       "一张单据只填一个金额",
	"give the document's amount":                                                       "请填写单据金额",
	"give the amount without a sign, and say by its kind which side it is on":          "金额请填正数，方向由单据类型决定",
	"give the document one row with its whole amount, or each row a number of its own": "一张单据请合为一行填写总额，或为每行编不同的单号",
	"name who gave the score":                                                          "请填写评级机构",
	"give the score as its provider gave it":                                           "请按机构给出的原值填写评分",
	"correct the score or its date":                                                    "请更正评分或其日期",
	"give each unit its code":                                                          "请填写组织编码",
	"a whole number, 0 for no limit":                                                   "请填写整数，0表示不限",
	"give the code of a unit of the book or of this file":                              "请填写账套中或本文件中已有的组织编码",
	"date it in an open period":                                                        "请将日期改到未结账的期间",
	"use a new number":                                                                 "请换一个单据号",
	"use a new key":                                                                    "请换一个单据号",
	"use a new key for another document":                                               "另一张单据请使用新的单据号",
	"name the document":                                                                "请填写单据编号",
	"use a code of ISO 4217":                                                           "请使用ISO 4217币种代码",
	"use a day from 1900-01-01 to 2200-12-31":                                          "日期须在1900-01-01与2200-12-31之间",
	"give a positive amount; the kind says the side":                                   "请填写正数金额，方向由单据类型决定",
	"use a kind from invoice to rounding, or Reverse":                                  "请使用可入账的单据类型",
	"use at most * bytes of UTF-8":                                                     "最多*字节（一个汉字占3字节）",

	// Of customers.
	"give a code with letters or digits":                      "编码须含字母或数字",
	"give the name of the person or organisation":             "请填写个人或单位名称",
	"at most * bytes":                                         "最多*字节（一个汉字占3字节）",
	"at most *":                                               "最多*",
	"use the two letters of ISO 3166-1, such as CN, TW or DE": "请使用ISO 3166-1的两位字母代码，例如CN、TW、DE",
	"give one address, such as name@example.com":              "请填写一个邮箱地址，例如name@example.com",
	"declare it in the book's schema":                         "请先在账套中定义该属性",
	"leave it as it is, or out":                               "请保持原值或留空",
	"use one of *":                                            "可用的值：*",
	"give a text":                                             "类型应为文本",
	"give a number":                                           "类型应为数字",
	"give a boolean":                                          "类型应为是或否",
	"give a date":                                             "类型应为日期",
	"give a enum":                                             "类型应为可选值之一",
	"give the text in UTF-8":                                  "请提供UTF-8编码的文本",
	"take the text from where it was still whole":             "请从未损坏的来源重新取得这段文字",
	"remove it":                                               "请删除该字符",
	"give codes, or create the customers one by one":          "请填写编码，或逐个新建客户",
	"give a code, or a range that is not in use":              "请填写编码，或改用未占用的号段",
	"leave what is hidden from you empty: *":                  "您无权查看的字段请留空：*",
	"ask someone who sees it":                                 "请联系有权查看的人员",

	// Of identifiers.
	"compare it with the document":                                                                "请与证照原件核对",
	"compare it with the document: a character is mistyped, or two are swapped":                   "请与证照原件核对：有字符输错，或相邻两位颠倒",
	"compare it with the document: there is no I, O, S, V or Z, but there are 1, 0, 5, U and 2":   "请与证照原件核对：代码不使用I、O、S、V、Z，可能是1、0、5、U、2",
	"compare the first two digits with the document":                                              "请与证照原件核对前两位",
	"leave the identifier out where the number isn't known":                                       "号码未知时请留空",
	"give the number alone":                                                                       "请只填写号码本身",
	"use digits and Latin letters":                                                                "请只使用数字和拉丁字母",
	"give the number, or leave the identifier out":                                                "请填写号码，或留空",
	"write them first, such as DE136695976":                                                       "请在前面写上成员国代码，例如DE136695976",
	"use one of the book's schemes, such as *":                                                    "请使用账套支持的证照类型，例如*",
	"give 18 digits and letters, the third to eighth a division's six digits":                     "应为18位数字或字母，第3至8位是行政区划代码",
	"give eight digits or letters and a check character that is a digit or X":                     "应为8位数字或字母，加一位校验码（数字或X）",
	"give 17 digits and a check character that is a digit or X, or the 15 digits of the old form": "应为17位数字加一位校验码（数字或X），或旧式15位数字",
	"give eight digits":                                                 "应为8位数字",
	"give nine digits":                                                  "应为9位数字",
	"give nine digits, such as 91-1144442":                              "应为9位数字，例如91-1144442",
	"give 13 digits, the first not 0":                                   "应为13位数字，首位不为0",
	"give 18 digits or letters and two check digits":                    "应为18位数字或字母，加两位校验数字",
	"give eight digits, or two letters and six digits such as SC123456": "应为8位数字，或两个字母加6位数字，例如SC123456",
	"give eight digits, or the certificate's number with branch and dates (8-3-2-2-1 digits)":                 "应为8位数字，或带分行号和日期的商业登记证号码（8-3-2-2-1位）",
	"give eight or nine digits and a letter, or R, S or T, two digits, two letters, four digits and a letter": "应为8或9位数字加一个字母，或R、S、T之一加两位数字、两个字母、四位数字和一个字母",
	"give a letter, then 1, 2, 8, 9 or A to D, then eight digits":                                             "应为一个字母，接1、2、8、9或A至D，再接8位数字",
	"give the member state's two letters and the number, such as DE136695976":                                 "请写成员国两位字母加号码，例如DE136695976",

	// Of rows that can't be read.
	"a cell begins with a quotation mark that is never closed; double the mark or close it": "单元格以引号开头但没有闭合；请补上闭合的引号，或将引号写成两个",
	"the row has more than * bytes":        "该行超过*字节",
	"the row has more than * cells":        "该行超过*个单元格",
	"each line must be one JSON object: *": "每行必须是一个JSON对象：*",
	"the key * isn't in the first objects of the file; give one of them the key, with null if need be": "文件开头的对象中没有键*；请在其中一个对象中写出该键，值可为null",
}

// chineseByCode are remedies for faults whose own is in no list.
var chineseByCode = map[string]string{
	string(customer.CodeRequired):  "请填写此项",
	string(customer.CodeMalformed): "请核对并更正",
	string(customer.CodeTooLong):   "请缩短内容",
	string(customer.CodeUnknown):   "请改用已有的值",
	string(customer.CodeRepeated):  "请去掉重复的内容",
	string(customer.CodeManaged):   "请留空，此项由系统维护",
	CodeDuplicate:                  "请更正，或去掉此行",
	CodeNotFound:                   "请更正，或先新建",
	CodeAmbiguous:                  "请更正此行，使其只指向一个客户",
	CodeStale:                      "请重新导入此行",
	CodeDenied:                     "请联系管理员授权",
	CodeWontMerge:                  "请核对两者的资料",
	CodeQuota:                      "请移交部分客户，或提高上限",
	CodePosted:                     "请换一个单据号",
	CodeClosed:                     "请将日期改到未结账的期间",
	CodeGarbled:                    "请检查文件编码",
	CodeInexact:                    "请将该列设为文本格式后重新导出",
	CodeFormula:                    "请修正公式，或直接填写数值",
}

// chineseRemedy is a fault's remedy in Chinese; empty if it calls for none.
func (f *Fault) chineseRemedy() string {
	if zh, ok := translated(f.Remedy); ok {
		return zh
	}
	if fields, ok := strings.CutPrefix(f.Remedy, "give "); ok && f.Code == string(customer.CodeRequired) {
		return "请填写" + strings.NewReplacer(", or ", "，或", " and ", "和").Replace(fields)
	}
	return chineseByCode[f.Code]
}

// translated finds a remedy in the list: as it stands, or as what the longest text with
// something varying becomes.
func translated(remedy string) (string, bool) {
	if zh, ok := chineseRemedies[remedy]; ok {
		return zh, true
	}
	best, found := "", ""
	for english, zh := range chineseRemedies {
		before, after, varies := strings.Cut(english, "*")
		if !varies || len(english) <= len(best) || len(remedy) < len(before)+len(after) || !strings.HasPrefix(remedy, before) || !strings.HasSuffix(remedy, after) {
			continue
		}
		best, found = english, strings.Replace(zh, "*", remedy[len(before):len(remedy)-len(after)], 1)
	}
	return found, best != ""
}
