package main

import (
	"golang.org/x/text/language"
	"golang.org/x/text/message/catalog"
)

// sentences are what the program prints, by what it is in English.
var sentences = func() catalog.Catalog {
	b := catalog.NewBuilder(catalog.Fallback(language.English))
	for english, chinese := range map[string]string{
		"divided by %q":  "以%q分隔",
		"sheet %q of %d": "工作表%q，共%d个",
		"Imported %d rows in %s: %d created, %d updated, %d unchanged, %d duplicates left out, %d refused.":     "已导入%d行，用时%s：新建%d，更新%d，未变%d，重复未导入%d，拒绝%d。",
		"Would import %d rows in %s: %d created, %d updated, %d unchanged, %d duplicates left out, %d refused.": "试导入%d行，用时%s：将新建%d，更新%d，未变%d，重复不导入%d，拒绝%d。",
		"In %d of them a value that is not in order went to the note.":                                          "其中%d行有不合规的值移到了备注。",
		"The %d refused rows are in %s: mend them there and import that file.":                                  "被拒绝的%d行在%s中：请在该文件中修正后再导入。",
		"The mapping is in %s.":                                     "列对应关系已写入%s。",
		"The ids of %s are those of column %d (%s).":                "%s的编码取自第%d列（%s）。",
		"An import that was cut off goes on behind row %d.":         "上次中断的导入从第%d行之后继续。",
		"  … of %d more columns those that are imported are shown.": "  ……其余%d列中只显示会导入的列。",
		"  … and %d more":                                           "  ……另有%d条",
		"Not imported, as the guess is in doubt: column %s. With -map FILE you say what it holds.": "含义不确定，未导入的列：%s。可用-map指定文件说明各列内容。",
		"%d customers aren't on the list of %s.":                                                   "%d个客户不在%s的名单中。",
		"%d customers that the list of %s hasn't were archived.":                                   "%d个不在%s名单中的客户已归档。",
		"%v rows, %v a second":                 "%v行，每秒%v行",
		"%d %%: %v rows, %v a second, %s left": "%d%%：%v行，每秒%v行，剩余%s",
	} {
		// The builder fails for malformed sentences only; a test prints them all.
		_ = b.SetString(language.Chinese, english, chinese)
	}
	return b
}()

// singular are the English sentences whose first number is one.
var singular = map[string]string{
	"Imported %d rows in %s: %d created, %d updated, %d unchanged, %d duplicates left out, %d refused.":     "Imported %d row in %s: %d created, %d updated, %d unchanged, %d duplicates left out, %d refused.",
	"Would import %d rows in %s: %d created, %d updated, %d unchanged, %d duplicates left out, %d refused.": "Would import %d row in %s: %d created, %d updated, %d unchanged, %d duplicates left out, %d refused.",
	"The %d refused rows are in %s: mend them there and import that file.":                                  "The refused row is in %[2]s: mend it there and import that file.",
	"  … of %d more columns those that are imported are shown.":                                             "  … %d more column is shown if it is imported.",
	"%d customers aren't on the list of %s.":                                                                "%d customer isn't on the list of %s.",
	"%d customers that the list of %s hasn't were archived.":                                                "%d customer that the list of %s hasn't was archived.",
}
