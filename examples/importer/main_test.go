package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/clientele-go/clientele/customer/exchange"
)

// imported runs the program and returns what it printed.
func imported(t *testing.T, args ...string) string {
	t.Helper()
	var out, log bytes.Buffer
	if err := run(context.Background(), args, &out, &log); err != nil {
		t.Fatalf("%v: %v\n%s%s", args, err, out.String(), log.String())
	}
	if strings.ContainsAny(log.String(), "\r\x1b") {
		t.Errorf("the progress bar writes to a log that is no terminal: %q", log.String())
	}
	return out.String()
}

func wants(t *testing.T, got string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(got, part) {
			t.Errorf("lacks %q:\n%s", part, got)
		}
	}
}

func written(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// The two exports of the register of Taiwan's listed companies hold 980 and 1,036 companies.
// What isn't in order in a cell keeps its row out, unless it goes to the note.
func TestBothRegisters(t *testing.T) {
	const data = "../quickstart/data/"
	dir := t.TempDir()
	out := imported(t, "-in", data+"listed-2022-11.csv", "-dir", dir, "-to-note", "-duplicates", "create")
	wants(t, out, "Imported 980 rows", " 980 created, 0 updated", " 0 refused", "chairman", "contact.name", "identifier.tw.ubn")
	out = imported(t, "-in", data+"listed-2024-10.csv", "-dir", dir, "-to-note", "-duplicates", "create")
	wants(t, out, "Imported 1036 rows", " 60 created,", " 0 refused")
	again := imported(t, "-in", data+"listed-2024-10.csv", "-dir", dir, "-to-note", "-duplicates", "create", "-again")
	wants(t, again, " 0 created, 0 updated, 1036 unchanged,")
	dry := imported(t, "-in", data+"listed-2024-10.csv", "-dir", t.TempDir(), "-dry-run")
	wants(t, dry, "Would import 1036 rows")
}

// The two vintages as one file, as contests have it: 2,016 rows, found by their codes.
func TestDriftOfTheRegister(t *testing.T) {
	const set = "../../../shared/data/er/tw_listed_drift/records.csv"
	if _, err := os.Stat(set); err != nil {
		t.Skipf("SKIPPED: the labelled set %s is not beside the checkout", set)
	}
	out := imported(t, "-in", set, "-dir", t.TempDir(), "-dry-run", "-to-note", "-duplicates", "create")
	wants(t, out, "Would import 2016 rows", " 0 refused")
}

const erp = "客户编码,客户名称,统一社会信用代码,联系电话\n" +
	"C1,上海汽车集团股份有限公司,91310000132260250X,021-22011138\n" +
	"C2,坏号码有限公司,91310000132260250Z,\n" +
	"C3,宝山钢铁股份有限公司,,\n"

func TestFileInGB18030WithRefusedRows(t *testing.T) {
	text, err := simplifiedchinese.GB18030.NewEncoder().String(erp)
	if err != nil {
		t.Fatal(err)
	}
	in, dir := written(t, "客户.csv", []byte(text)), t.TempDir()
	bad := filepath.Join(t.TempDir(), "bad.csv")
	out := imported(t, "-in", in, "-dir", dir, "-errors", bad, "-language", "zh")
	wants(t, out, "GB18030", "第3行第3列（统一社会信用代码）：格式不正确", "；请与证照原件核对", "已导入3行，用时", "新建2，", "拒绝1。", "被拒绝的1行在"+bad+"中")
	refused, err := os.ReadFile(bad)
	if err != nil {
		t.Fatal(err)
	}
	text, err = simplifiedchinese.GB18030.NewDecoder().String(string(refused))
	if err != nil || strings.Count(text, "\n") != 2 || !strings.Contains(text, "C2,坏号码有限公司") {
		t.Errorf("%v: %q", err, text)
	}
}

// An ERP's workbook: a title over all columns, headings of two rows merged into groups, a
// blank row, a total at the end that is no customer.
func TestWorkbookOfAnERP(t *testing.T) {
	f := excelize.NewFile()
	for cell, v := range map[string]any{
		"A1": "客户档案表", "A2": "编码", "B2": "客户", "D2": "联系", "B3": "客户名称", "C3": "税号", "D3": "联系人", "E3": "联系电话",
		"A4": "C1", "B4": "上海汽车集团股份有限公司", "C4": "91310000132260250X", "D4": "王力", "E4": "021-22011138",
		"A6": "C2", "B6": "宝山钢铁股份有限公司", "D6": "无",
	} {
		if err := f.SetCellValue("Sheet1", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range [][2]string{{"A1", "E1"}, {"A2", "A3"}, {"B2", "C2"}, {"D2", "E2"}} {
		if err := f.MergeCell("Sheet1", r[0], r[1]); err != nil {
			t.Fatal(err)
		}
	}
	buffer, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	mapping := filepath.Join(t.TempDir(), "mapping.json")
	out := imported(t, "-in", written(t, "档案.xlsx", buffer.Bytes()), "-dir", t.TempDir(), "-map", mapping)
	wants(t, out, `sheet "Sheet1" of 1`, "contact.name", "2 created", "0 refused", "The mapping is in "+mapping)
	text, err := os.ReadFile(mapping)
	if err != nil {
		t.Fatal(err)
	}
	wants(t, string(text), `"header_row": 2`, `"header_rows": 2`, `"field": "identifier.cn.uscc"`)
}

// Units, then customers in them, then what they owe.
func TestOtherThanCustomers(t *testing.T) {
	dir := t.TempDir()
	for _, step := range []struct{ of, content, want string }{
		{"units", "部门编码,部门名称,上级部门编码\nSH,上海,HQ\nHQ,总部,\n", "2 created"},
		{"customers", "客户编码,客户名称,所属部门\nC1,上海汽车集团股份有限公司,SH\n", "1 created"},
		{"items", "单据编号,客户编码,单据日期,金额\nINV1,C1,2026-01-05,100\n", "1 created"},
		{"balances", "客户编码,余额日期,期初余额\nC1,2026-01-01,50\n", "1 created"},
		{"scores", "客户编码,评级机构,信用评分,评分日期\nC1,dnb,80,2026-01-05\n", "1 created"},
	} {
		out := imported(t, "-in", written(t, step.of+".csv", []byte(step.content)), "-dir", dir, "-of", step.of)
		wants(t, out, step.want, "0 refused")
	}
}

func TestWrongFlagsAreExplained(t *testing.T) {
	in := written(t, "a.csv", []byte(erp))
	workbook := written(t, "a.jsonl", []byte(`{"name":"甲公司"}`))
	for _, c := range []struct {
		want string
		args []string
	}{
		{"say -in", nil},
		{"say -in", []string{"-in", in}},
		{`"more": every value stands behind its flag`, []string{"-in", in, "-dir", t.TempDir(), "more"}},
		{`-duplicates "perhaps": one of create, flag, merge, skip`, []string{"-in", in, "-dir", t.TempDir(), "-duplicates", "perhaps"}},
		{`-lang "fr": one of en, zh`, []string{"-in", in, "-dir", t.TempDir(), "-lang", "fr"}},
		{`-mode "insert": one of create, update, upsert`, []string{"-in", in, "-dir", t.TempDir(), "-mode", "insert"}},
		{`-encoding "latin"`, []string{"-in", in, "-dir", t.TempDir(), "-encoding", "latin"}},
		{`-delimiter "::": one character`, []string{"-in", in, "-dir", t.TempDir(), "-delimiter", "::"}},
		{"-sheet \"B\": a.csv is no workbook", []string{"-in", in, "-dir", t.TempDir(), "-sheet", "B"}},
		{"-delimiter ';': a.jsonl is jsonl", []string{"-in", workbook, "-dir", t.TempDir(), "-delimiter", ";"}},
		{"-encoding Big5: a.jsonl is jsonl", []string{"-in", workbook, "-dir", t.TempDir(), "-encoding", "big5"}},
		{"-archive: whom?", []string{"-in", in, "-dir", t.TempDir(), "-archive"}},
		{"-max-missing", []string{"-in", in, "-dir", t.TempDir(), "-sync", "erp", "-max-missing", "5"}},
		{"-max-missing 101", []string{"-in", in, "-dir", t.TempDir(), "-sync", "erp", "-archive", "-max-missing", "101"}},
		{"only a list of customers", []string{"-in", in, "-dir", t.TempDir(), "-sync", "erp", "-of", "units"}},
		{"give one of them", []string{"-in", in, "-dir", t.TempDir(), "-preview", "-dry-run"}},
		{`-of "ships": one of customers, units, items`, []string{"-in", in, "-dir", t.TempDir(), "-of", "ships"}},
		{"there is no such folder", []string{"-in", in, "-dir", t.TempDir(), "-errors", filepath.Join(t.TempDir(), "absent", "bad.csv")}},
		{"is a folder", []string{"-in", in, "-dir", t.TempDir(), "-errors", t.TempDir()}},
		{"is the file of -map, too", []string{"-in", in, "-dir", t.TempDir(), "-errors", "./x.csv", "-map", "x.csv"}},
		{"use a name that ends in .csv", []string{"-in", in, "-dir", t.TempDir(), "-errors", filepath.Join(t.TempDir(), "bad.xlsx")}},
	} {
		var out, log bytes.Buffer
		if err := run(context.Background(), c.args, &out, &log); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.args, err, c.want)
		}
		if out.Len() > 0 || log.Len() > 0 {
			t.Errorf("%v: it says more than what is wrong: %s%s", c.args, out.String(), log.String())
		}
	}
}

// A kept mapping is for a file with the same columns; in another they would be mixed up.
func TestMappingOfOtherColumnsIsRefused(t *testing.T) {
	dir, kept := filepath.Join(t.TempDir(), "book"), filepath.Join(t.TempDir(), "map.json")
	imported(t, "-in", written(t, "a.csv", []byte("name,phone\nOne Ltd,021-62881234\n")), "-dir", dir, "-map", kept)
	var out, log bytes.Buffer
	err := run(context.Background(), []string{"-in", written(t, "b.csv", []byte("phone,name\n021-62881235,Two Ltd\n")), "-dir", dir, "-map", kept}, &out, &log)
	if err == nil || !strings.Contains(err.Error(), `column 1 of b.csv is headed "phone", and the mapping is for one headed "name"`) {
		t.Errorf("%v", err)
	}
	wants(t, imported(t, "-in", written(t, "c.csv", []byte("name,phone\nThree Ltd,021-62881236\n")), "-dir", dir, "-map", kept), "1 created")
}

// Of two values one is a unified social credit code: too few to import the column as such.
func TestColumnsInDoubtAreNamed(t *testing.T) {
	in := written(t, "a.csv", []byte("客户名称,统一社会信用代码\n甲公司,91350211M000100Y43\n乙公司,91350211\n"))
	wants(t, imported(t, "-in", in, "-dir", t.TempDir()), "Not imported, as the guess is in doubt: column 2 (统一社会信用代码).")
	wants(t, imported(t, "-in", in, "-dir", t.TempDir(), "-lang", "zh"), "含义不确定，未导入的列：2 (统一社会信用代码)。")
}

// Without a book, and in both languages.
func TestPreview(t *testing.T) {
	in := written(t, "a.csv", []byte(erp+"C4, 宝山钢铁股份有限公司,,\nC5,测试,,\n"))
	wants(t, imported(t, "-in", in, "-preview"), "Rows: 5, with values that are not in order: 1", `row 5: " 宝山钢铁股份有限公司" → "宝山钢铁股份有限公司"`, "rows 4, 5 have the same name", "looks like a test")
	wants(t, imported(t, "-in", in, "-preview", "-lang", "zh"), "以\",\"分隔", "共5行，其中1行有不合规的值。", "第4, 5行的客户名称相同", "疑似测试数据")
}

func TestModes(t *testing.T) {
	dir := t.TempDir()
	wants(t, imported(t, "-in", written(t, "a.csv", []byte("客户编码,客户名称\nC1,甲公司\n")), "-dir", dir), "1 created")
	both := written(t, "b.csv", []byte("客户编码,客户名称\nC1,甲方公司\nC2,乙公司\n"))
	wants(t, imported(t, "-in", both, "-dir", dir, "-mode", "update"), "0 created, 1 updated", "1 refused", "no customer of the book fits")
	wants(t, imported(t, "-in", both, "-dir", dir, "-mode", "create"), "1 created, 0 updated", "1 refused")
	wants(t, imported(t, "-in", both, "-dir", dir), "0 created, 0 updated, 2 unchanged", "0 refused")
}

// What isn't recognised, or wrongly, is said by flags: the second sheet, a delimiter and an
// encoding of which the file has no sign.
func TestFilesAsTold(t *testing.T) {
	f := excelize.NewFile()
	if _, err := f.NewSheet("名单"); err != nil {
		t.Fatal(err)
	}
	for cell, v := range map[string]string{"A1": "客户编码", "B1": "客户名称", "A2": "C1", "B2": "甲公司"} {
		if err := f.SetCellValue("名单", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	buffer, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	wants(t, imported(t, "-in", written(t, "a.xlsx", buffer.Bytes()), "-dir", t.TempDir(), "-sheet", "名单"), `sheet "名单" of 2`, "1 created")
	wants(t, imported(t, "-in", written(t, "a.csv", []byte("code~name\nC1~Acme, Inc.\n")), "-dir", t.TempDir(), "-delimiter", "~"), `divided by "~"`, "1 created")
	text, err := simplifiedchinese.GB18030.NewEncoder().String("编码,名称\nC1,甲\n")
	if err != nil {
		t.Fatal(err)
	}
	wants(t, imported(t, "-in", written(t, "b.csv", []byte(text)), "-dir", t.TempDir(), "-encoding", "gbk"), "GB18030", "1 created")
}

// The ERP's list lacks a customer that it had: told, or archived if that is asked for and
// not too many are.
func TestSynchronisedLists(t *testing.T) {
	dir := t.TempDir()
	list := func(name string, codes ...string) string {
		content := "客户编码,客户名称\n"
		for _, c := range codes {
			content += c + ",公司" + c + "\n"
		}
		return written(t, name, []byte(content))
	}
	wants(t, imported(t, "-in", list("a.csv", "C1", "C2", "C3"), "-dir", dir, "-sync", "erp"), "3 created", "The ids of erp are those of column 1 (客户编码).", "0 customers aren't on the list of erp.")
	shorter := list("b.csv", "C1", "C3")
	wants(t, imported(t, "-in", shorter, "-dir", dir, "-sync", "erp", "-dry-run"), "1 customer isn't on the list of erp.")
	wants(t, imported(t, "-in", shorter, "-dir", dir, "-sync", "erp", "-lang", "zh"), "1个客户不在erp的名单中。\n  C2 公司C2\n")
	var out, log bytes.Buffer
	err := run(context.Background(), []string{"-in", shorter, "-dir", dir, "-sync", "erp", "-archive"}, &out, &log)
	if !errors.Is(err, exchange.ErrShortList) || !strings.Contains(err.Error(), "-max-missing PERCENT") {
		t.Errorf("a third is missing: %v", err)
	}
	wants(t, imported(t, "-in", shorter, "-dir", dir, "-sync", "erp", "-archive", "-max-missing", "40"), "1 customer that the list of erp hasn't was archived.")
}

// Into a pipe the progress goes line by line.
func TestProgressInALog(t *testing.T) {
	var log bytes.Buffer
	i := &importer{log: &log, printer: message.NewPrinter(language.Chinese, message.Catalog(sentences))}
	show := i.lines(time.Second)
	for _, p := range []exchange.Progress{
		{Elapsed: time.Second / 2, Bytes: 10, Size: 100}, {Elapsed: 2 * time.Second, Bytes: 50, Size: 100, Summary: exchange.Summary{Read: 2000}},
		{Elapsed: 2500 * time.Millisecond, Bytes: 60, Size: 100}, {Elapsed: 4 * time.Second, Bytes: 100, Size: 100, Done: true},
	} {
		if err := show(p); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := log.String(), "50%：2,000行，每秒1,000行，剩余2s\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// The second run reads the mapping that the first one guessed and wrote, and does the same.
func TestWrittenMappingIsTheOneThatWasUsed(t *testing.T) {
	in := written(t, "list.csv", []byte("客户名称,电话,备注\n甲公司,见附件,\n乙公司,见附件,\n"))
	dir, mapping := t.TempDir(), filepath.Join(t.TempDir(), "mapping.json")
	wants(t, imported(t, "-in", in, "-dir", dir, "-map", mapping), " 2 created")
	var out, log bytes.Buffer
	err := run(context.Background(), []string{"-in", in, "-dir", dir, "-map", mapping}, &out, &log)
	if !errors.Is(err, exchange.ErrImported) {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestTheListItselfIsNotOverwritten(t *testing.T) {
	in := written(t, "list.csv", []byte("客户名称\n甲公司\n"))
	var out, log bytes.Buffer
	if err := run(context.Background(), []string{"-in", in, "-dir", t.TempDir(), "-errors", in}, &out, &log); err == nil {
		t.Error("the list is the file for errors too")
	}
}

// A dry run without a book leaves none behind, and what can't begin says so and no more.
func TestNothingIsLeftOrCountedThatWasNotDone(t *testing.T) {
	in, dir := written(t, "a.csv", []byte("name\nOne Ltd\n")), filepath.Join(t.TempDir(), "book")
	wants(t, imported(t, "-in", in, "-dir", dir, "-dry-run"), "Would import 1 row in", " 1 created")
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the dry run made a directory: %v", err)
	}
	var out, log bytes.Buffer
	for _, blank := range []string{"", "\n\n  \n", "\uFEFF"} {
		err := run(context.Background(), []string{"-in", written(t, "empty.csv", []byte(blank)), "-dir", dir}, &out, &log)
		if _, there := os.Stat(dir); err == nil || !errors.Is(there, os.ErrNotExist) {
			t.Errorf("a book was made for an empty file: %v, %v", err, there)
		}
	}
	imported(t, "-in", in, "-dir", dir)
	err := run(context.Background(), []string{"-in", in, "-dir", dir}, &out, &log)
	if !errors.Is(err, exchange.ErrImported) || strings.Contains(out.String(), "Imported") {
		t.Errorf("%v: %s", err, out.String())
	}
}

// Of a workbook's 16,384 columns those are shown that say something.
func TestColumnsThatAreShown(t *testing.T) {
	var list strings.Builder
	list.WriteString("name")
	for i := range 200 {
		list.WriteString(",x" + strings.Repeat("i", i))
	}
	list.WriteString(",phone\nOne Ltd" + strings.Repeat(",?", 200) + ",021-22011138\n")
	out := imported(t, "-in", written(t, "a.csv", []byte(list.String())), "-dir", t.TempDir())
	wants(t, out, "202 phone", "of 182 more columns", "Imported 1 row in")
	if n := strings.Count(out, "\n"); n > 30 {
		t.Errorf("%d lines", n)
	}
}
