package report_test

import (
	"archive/zip"
	"bytes"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer/stocktake/report"
)

func openWorkbook(t *testing.T, data []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// sheetRows are all rows of a workbook with their stored values, not as they are shown.
func sheetRows(t *testing.T, f *excelize.File) (all [][]string) {
	t.Helper()
	for _, sheet := range f.GetSheetList() {
		rows, err := f.GetRows(sheet, excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rows...)
	}
	return all
}

// Every number of the Result is a number in a cell, in a row with its label.
func TestXLSXHoldsTheResult(t *testing.T) {
	for _, tag := range languages {
		f := openWorkbook(t, write(t, report.XLSX, million(), report.Options{Language: tag}))
		byLabel := map[string][][]string{}
		for _, cells := range sheetRows(t, f) {
			for _, label := range cells[:min(len(cells), 2)] { // the first or, where tables share a sheet, the second column
				byLabel[label] = append(byLabel[label], cells)
			}
		}
		for _, want := range facts(million(), tag) {
			value, err := strconv.ParseFloat(want.value, 64)
			if err != nil {
				t.Fatal(err)
			}
			has := slices.ContainsFunc(byLabel[want.label], func(cells []string) bool {
				return slices.ContainsFunc(cells[1:], func(cell string) bool {
					got, err := strconv.ParseFloat(cell, 64)
					return err == nil && got == value
				})
			})
			if !has {
				t.Errorf("%v: no row %q has %s (%s.%s.%s)", tag, want.label, want.value, want.table, want.row, want.column)
			}
		}
	}
}

// The reconciliation, cell by cell.
func TestXLSXHasTypedCellsUnderFrozenHeadings(t *testing.T) {
	r := million()
	f := openWorkbook(t, write(t, report.XLSX, r, report.Options{}))
	const sheet = "Reconciliation"
	for cell, want := range map[string]string{
		"A1": "Reconciliation", "A3": "Term", "B3": "Customers", "C3": "Of opening",
		"A4": "Opening", "B4": plain(r.Reconciliation.Opening), "C4": "1", "B5": plain(r.Reconciliation.New), "B9": plain(-r.Reconciliation.Merged), "A13": "Closing", "B13": plain(r.Reconciliation.Closing),
	} {
		if got, err := f.GetCellValue(sheet, cell, excelize.Options{RawCellValue: true}); err != nil || got != want {
			t.Errorf("%s is %q, want %q; error: %v", cell, got, want, err)
		}
	}
	for cell, want := range map[string]string{"B4": "1,000,000", "C4": "100.00%"} {
		if got, err := f.GetCellValue(sheet, cell); err != nil || got != want {
			t.Errorf("%s is shown as %q, want %q; error: %v", cell, got, want, err)
		}
	}
	for _, sheet := range f.GetSheetList() {
		if sheet == "Summary" || sheet == "Chart data" {
			continue
		}
		if panes, err := f.GetPanes(sheet); err != nil || !panes.Freeze || panes.YSplit != 3 {
			t.Errorf("%s: the headings are not frozen: %+v, %v", sheet, panes, err)
		}
		if width, err := f.GetColWidth(sheet, "A"); err != nil || width < 8 {
			t.Errorf("%s: the first column is %v wide; error: %v", sheet, width, err)
		}
	}
}

// Bars of about the same length would otherwise begin where the shortest nearly ends.
func TestXLSXBarsBeginAtZero(t *testing.T) {
	bars := 0
	for name, text := range parts(t, write(t, report.XLSX, million(), report.Options{})) {
		if !strings.HasPrefix(name, "xl/charts/") || !strings.Contains(text, "Customers by ") || !strings.Contains(text, `barDir val="bar"`) {
			continue
		}
		bars++
		if !strings.Contains(text, `min val="0"`) {
			t.Errorf("%s: its axis begins anywhere", name)
		}
	}
	if bars == 0 {
		t.Error("no bars")
	}
}

func TestXLSXPrintsOnWholePages(t *testing.T) {
	f := openWorkbook(t, write(t, report.XLSX, million(), report.Options{}))
	for _, sheet := range f.GetSheetList() {
		props, err := f.GetSheetProps(sheet)
		if err != nil || props.FitToPage == nil || !*props.FitToPage {
			t.Errorf("%s breaks its columns; error: %v", sheet, err)
		}
	}
}

// parts are the files in a workbook.
func parts(t *testing.T, data []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, file := range z.File {
		in, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		all[file.Name] = string(text)
		in.Close()
	}
	return all
}

func TestXLSXRunsNoFormulas(t *testing.T) {
	for name, text := range parts(t, write(t, report.XLSX, million(), report.Options{})) {
		if strings.HasPrefix(name, "xl/worksheets/sheet") && (strings.Contains(text, "<f>") || strings.Contains(text, "<f ")) {
			t.Errorf("%s has a formula", name)
		}
		if strings.Contains(name, "externalLink") || strings.Contains(text, `TargetMode="External"`) {
			t.Errorf("%s leads elsewhere", name)
		}
	}
}

// Every series of every chart refers to cells that are there, as many labels as values.
func TestXLSXChartsReferToCells(t *testing.T) {
	for _, tag := range languages {
		data := write(t, report.XLSX, million(), report.Options{Language: tag})
		f := openWorkbook(t, data)
		reference := regexp.MustCompile(`<f>([^<]*)</f>`)
		kinds := map[string]int{}
		for name, text := range parts(t, data) {
			if !strings.HasPrefix(name, "xl/charts/chart") {
				continue
			}
			for _, kind := range []string{"<barChart>", "<lineChart>", `grouping val="stacked"`, `grouping val="percentStacked"`} {
				if strings.Contains(text, kind) {
					kinds[kind]++
				}
			}
			for _, series := range strings.Split(text, "<ser>")[1:] {
				found := reference.FindAllStringSubmatch(series, -1)
				if len(found) != 3 {
					t.Fatalf("%s: a series has %d references", name, len(found))
				}
				heading, labels, values := cells(t, f, found[0][1]), cells(t, f, found[1][1]), cells(t, f, found[2][1])
				if len(heading) != 1 || len(labels) != len(values) || len(labels) == 0 || heading[0] == "" || slices.Contains(labels, "") {
					t.Errorf("%s: series %q has %d labels and %d values", name, heading, len(labels), len(values))
				}
				for _, v := range values {
					if _, err := strconv.ParseFloat(v, 64); v != "" && err != nil {
						t.Errorf("%s: series %q has the value %q", name, heading, v)
					}
				}
			}
		}
		if kinds["<barChart>"] < 10 || kinds["<lineChart>"] != 2 || kinds[`grouping val="stacked"`] != 1 || kinds[`grouping val="percentStacked"`] != 5 {
			t.Errorf("charts: %v", kinds)
		}
	}
}

// cells are the stored values of a reference such as 'Chart data'!$B$3:$B$12.
func cells(t *testing.T, f *excelize.File, reference string) (values []string) {
	t.Helper()
	reference = strings.NewReplacer("&#39;", "'", "&amp;", "&").Replace(reference)
	sheet, area, found := strings.Cut(reference, "!")
	sheet = strings.ReplaceAll(strings.Trim(sheet, "'"), "''", "'")
	from, to, ranged := strings.Cut(strings.ReplaceAll(area, "$", ""), ":")
	if !ranged {
		to = from
	}
	x0, y0, err := excelize.CellNameToCoordinates(from)
	x1, y1, err1 := excelize.CellNameToCoordinates(to)
	if !found || err != nil || err1 != nil || x0 != x1 {
		t.Fatalf("reference %q: %v, %v", reference, err, err1)
	}
	for y := y0; y <= y1; y++ {
		name, err := excelize.CoordinatesToCellName(x0, y)
		if err != nil {
			t.Fatal(err)
		}
		value, err := f.GetCellValue(sheet, name, excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
	}
	return values
}

// The waterfall's columns, as the chart stacks them: what carries a change and the change
// make the higher of the levels before and after.
func TestXLSXWaterfallStacksUp(t *testing.T) {
	r := million()
	f := openWorkbook(t, write(t, report.XLSX, r, report.Options{Language: language.English}))
	rows, err := f.GetRows("Chart data", excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	start := slices.IndexFunc(rows, func(cells []string) bool { return len(cells) > 1 && cells[1] == "Carried" })
	n := r.Reconciliation
	level := int64(0)
	for i, step := range []int64{n.Opening, n.New, n.Reactivated, n.Unmerged, n.Entered, -n.Merged, -n.Archived, -n.Erased, -n.Left, 0} {
		cells := rows[start+1+i]
		var carried, total, gained, lost int64
		for j, to := range []*int64{&carried, &total, &gained, &lost} {
			if *to, err = strconv.ParseInt(cells[j+1], 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		after := level + step
		if got := carried + total + gained + lost; got != max(level, after) {
			t.Errorf("%s is stacked up to %d, want %d", cells[0], got, max(level, after))
		}
		if i > 0 && i < 9 && gained-lost != step || total != 0 && total != after {
			t.Errorf("%s: total %d, gained %d, lost %d; the step is %d to %d", cells[0], total, gained, lost, step, after)
		}
		level = after
	}
	if level != n.Closing {
		t.Errorf("the waterfall ends at %d, not %d", level, n.Closing)
	}
}
