package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestTablesAreCurrent(t *testing.T) {
	dir := t.TempDir()
	lists, err := filepath.Glob("../data/*.txt")
	if err != nil || len(lists) == 0 {
		t.Fatal("no lists in ../data: ", err)
	}
	for _, name := range lists {
		list, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), list, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"fold.bin", "pinyin.bin"} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if want, err := os.ReadFile(filepath.Join("../data", name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("data/%s is not what gen writes (%v); run go generate in internal/text", name, err)
		}
	}
}

func TestToneless(t *testing.T) {
	for in, want := range map[string]string{"lǜ": "lv", "nüè": "nve", "zhōng": "zhong", "ê̄": "e", "ńg": "ng", "a": "a"} {
		if got := toneless(in); got != want {
			t.Errorf("toneless(%q) = %q, want %q", in, got, want)
		}
	}
}
