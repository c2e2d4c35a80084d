package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// folder writes a labelled set.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const smallSchema = `{"id":"id","mode":"dedupe","fields":{"name":"person.name","phone":"phone"}}`

func smallSet() map[string]string {
	return map[string]string{
		"schema.json": "\uFEFF" + smallSchema,
		"records.csv": "\uFEFFid,name,phone\n1,Anna Adler,030 1234567\n2,Anna Adler,030 1234567\n3,Bert Bauer,040 7654321\n4,Cora Conrad,089 1112223\n",
		"truth.csv":   "id_l,id_r\n1,2\n",
	}
}

func TestAccuracyPrintsOneObjectASet(t *testing.T) {
	dir := folder(t, smallSet())
	var out bytes.Buffer
	if err := runAccuracy(context.Background(), []string{"-data", dir, dir, "-json"}, &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines for two folders: %q", len(lines), out.String())
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &got); err != nil {
		t.Fatal(err)
	}
	for _, member := range strings.Fields("set mode rows true_pairs candidates candidate_recall precision recall f1 best_f1 cluster_precision cluster_recall cluster_f1 seconds peak_bytes") {
		if _, ok := got[member]; !ok {
			t.Errorf("no %q in %s", member, lines[0])
		}
	}
	if got["set"] != filepath.Base(dir) || got["mode"] != "dedupe" || got["rows"] != 4.0 || got["true_pairs"] != 1.0 || got["candidate_recall"] != 1.0 {
		t.Errorf("unexpected %s", lines[0])
	}
}

func TestAccuracyRefusesBadFolders(t *testing.T) {
	for name, c := range map[string]struct{ file, text, says string }{
		"truth names an absent id": {"truth.csv", "id_l,id_r\n1,9\n", `truth.csv, row 2: pair "1", "9"`},
		"truth without header":     {"truth.csv", "1,2\n", "id_l and id_r"},
		"unknown type":             {"schema.json", strings.Replace(smallSchema, "person.name", "shoe.size", 1), "shoe.size"},
		"unknown mode":             {"schema.json", strings.Replace(smallSchema, "dedupe", "marry", 1), "marry"},
		"field is not a column":    {"schema.json", strings.Replace(smallSchema, `"phone":`, `"fax":`, 1), `"fax" is not in records.csv`},
		"link without source":      {"schema.json", strings.Replace(smallSchema, "dedupe", "link", 1), "is not in records.csv"},
		"id twice":                 {"records.csv", "id,name,phone\n1,A B,\n1,C D,\n", "ids must be unique"},
		"id missing":               {"records.csv", "id,name,phone\n,A B,\n", "give every record an id"},
		"ragged row":               {"records.csv", "id,name,phone\n1,A B\n", "wrong number of fields"},
		"not UTF-8":                {"records.csv", "id,name,phone\n1,A\xff B,\n", "UTF-8"},
		"no truth file content":    {"truth.csv", "", "the file is empty"},
		"no records file content":  {"records.csv", "", "the file is empty"},
		"column twice":             {"records.csv", "id,name,phone,name\n1,A B,,C D\n", `"name" is in records.csv twice`},
		"truth column twice":       {"truth.csv", "id_l,id_r,id_l\n1,2,3\n", `"id_l" is in`},
	} {
		t.Run(name, func(t *testing.T) {
			files := smallSet()
			files[c.file] = c.text
			err := runAccuracy(context.Background(), []string{"-data", folder(t, files)}, &bytes.Buffer{})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v; want one that says %q", err, c.says)
			}
		})
	}
}

// Of a bad set between two good ones, both are measured, and the error names the bad one.
func TestAccuracyGoesOnAfterABadFolder(t *testing.T) {
	bad := smallSet()
	bad["truth.csv"] = "id_l,id_r\n1,9\n"
	good, broken := folder(t, smallSet()), folder(t, bad)
	var out bytes.Buffer
	err := runAccuracy(context.Background(), []string{"-data", good, broken, good, "-json"}, &out)
	if n := strings.Count(out.String(), "\n"); n != 2 || err == nil || !strings.Contains(err.Error(), broken) {
		t.Errorf("%d sets measured, %v; want 2, and an error that names %s", n, err, broken)
	}
}

func TestAccuracyTakesHugeAndEmptyFields(t *testing.T) {
	files := smallSet()
	files["records.csv"] = "id,name,phone\n1," + strings.Repeat("Anna Adler ", 1<<20/11) + ",\n2,,\n3,,\n4,Cora Conrad,089 1112223\n"
	var out bytes.Buffer
	if err := runAccuracy(context.Background(), []string{"-data", folder(t, files), "-json"}, &out); err != nil {
		t.Fatal(err)
	}
	var a accuracy
	if err := json.Unmarshal(out.Bytes(), &a); err != nil || a.Rows != 4 || a.Recall != 0 {
		t.Errorf("got %+v, %v; want 4 rows and none found", a, err)
	}
}

// Of 4 found pairs 3 are right, of 6 true ones 3 are found: precision 3/4, recall 3/6,
// F1 2·3/(4+6).
func TestQuality(t *testing.T) {
	p, r, f1 := quality(3, 4, 6)
	if p != 0.75 || r != 0.5 || math.Abs(f1-0.6) > 1e-12 {
		t.Errorf("quality(3, 4, 6) = %v, %v, %v; want 0.75, 0.5, 0.6", p, r, f1)
	}
	if p, r, f1 := quality(0, 0, 0); p != 0 || r != 0 || f1 != 0 {
		t.Errorf("quality(0, 0, 0) = %v, %v, %v; want zeros", p, r, f1)
	}
}

func TestNamesPrintsQuality(t *testing.T) {
	dir := folder(t, map[string]string{"pairs.csv": "name1,name2,label\n国元证券,国元证券股份有限公司,1\n北京银行,南京银行,0\n"})
	var out bytes.Buffer
	path := filepath.Join(dir, "pairs.csv")
	if err := runNames(context.Background(), []string{"-pairs", path, "-type", "organisation", "-json"}, &out); err != nil {
		t.Fatal(err)
	}
	var q nameQuality
	if err := json.Unmarshal(out.Bytes(), &q); err != nil {
		t.Fatal(err)
	}
	if want := (nameQuality{path, 2, 1, 1, 1, 1}); q != want {
		t.Errorf("got %+v; want %+v", q, want)
	}
}

func TestNamesRefusesBadFiles(t *testing.T) {
	for text, says := range map[string]string{
		"a,b\nx,y\n":                         "name1, name2 and label",
		"name1,name2,label\nx,y,ja\n":        `row 2: label "ja"`,
		"name1,name2,label\nx,\xff,1\n":      "row 2: name2",
		"name1,name2,label\n":                "there are no pairs",
		"name1,name2,label,name1\nx,y,1,z\n": `"name1" is in`,
		"":                                   "there are no pairs",
	} {
		path := filepath.Join(folder(t, map[string]string{"pairs.csv": text}), "pairs.csv")
		if err := runNames(context.Background(), []string{"-pairs", path, "-type", "person"}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v; want one that says %q", err, says)
		}
	}
}

// A second file would not be read, and flags behind it neither.
func TestNamesTakesFlagsOnly(t *testing.T) {
	dir := folder(t, map[string]string{"pairs.csv": "name1,name2,label\nx,y,1\n"})
	path := filepath.Join(dir, "pairs.csv")
	if err := runNames(context.Background(), []string{"-pairs", path, path, "-json"}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "what is") {
		t.Errorf("error %v; want one that asks what the second file is", err)
	}
}

// A folder for the wrong pairs that isn't there is made, and one that can't be is said before
// anything is measured.
func TestAccuracyMakesTheFolderOfErrors(t *testing.T) {
	dir := folder(t, smallSet())
	wrong := filepath.Join(dir, "wrong", "pairs")
	if err := runAccuracy(context.Background(), []string{"-data", dir, "-errors", wrong}, &bytes.Buffer{}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(wrong, filepath.Base(dir)+".csv")); err != nil {
		t.Error(err)
	}
	var out bytes.Buffer
	if err := runAccuracy(context.Background(), []string{"-data", dir, "-errors", filepath.Join(dir, "truth.csv")}, &out); err == nil || out.Len() > 0 {
		t.Errorf("error %v after %q; want one before anything is printed", err, out.String())
	}
}

func TestMatchRefusesBadFlags(t *testing.T) {
	for args, says := range map[string]string{
		"-rows 0":    "-rows 0: at least 1",
		"-rows -5":   "-rows -5: at least 1",
		"-memory -1": "-memory -1: not less than 0 MiB",
		"-rows 9 x":  `what is "x"?`,
	} {
		if err := runMatch(context.Background(), strings.Fields(args), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v; want one that says %q", args, err, says)
		}
	}
}

// The generator is the same for a seed, and its pairs are about 36 for 100 records.
func TestGeneratedRecords(t *testing.T) {
	var first, second []string
	for r := range (generated{3, 2000}).records() {
		first = append(first, r.ID+strings.Join(r.Values, "|"))
	}
	var ids []string
	for r := range (generated{3, 2000}).records() {
		second = append(second, r.ID+strings.Join(r.Values, "|"))
		ids = append(ids, r.ID)
	}
	if strings.Join(first, "\n") != strings.Join(second, "\n") || len(first) != 2000 {
		t.Error("two streams of a seed differ, or are not 2000 long")
	}
	if n := len(generatedTruth(ids)); n < 600 || n > 850 {
		t.Errorf("%d pairs in 2000 records; want about 720", n)
	}
}
