// Command gen writes the tables of package text into its folder data:
//
//	fold.bin    what each rune folds to
//	pinyin.bin  the readings of each Han rune
//
// Run it with go generate after a change to data/*.txt, to golang.org/x/text or to
// go-pinyin. Its output depends on nothing else, so a test can repeat it.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	dir := flag.String("data", "data", "the folder of the source lists, where the tables go")
	flag.Parse()
	if err := run(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	han, err := readPairs(filepath.Join(dir, "opencc-characters.txt"))
	if err != nil {
		return err
	}
	phrases, err := readPairs(filepath.Join(dir, "opencc-phrases.txt"))
	if err != nil {
		return err
	}
	readings, err := readPairs(filepath.Join(dir, "pinyin-readings.txt"))
	if err != nil {
		return err
	}
	words, err := readPairs(filepath.Join(dir, "pinyin-phrases.txt"))
	if err != nil {
		return err
	}
	f := newFolder(han)
	if err := os.WriteFile(filepath.Join(dir, "fold.bin"), f.table(phrases), 0o644); err != nil {
		return err
	}
	table, err := pinyinTable(f, readings, words)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "pinyin.bin"), table, 0o644)
}

// pair is a line "key<TAB>value" of a list.
type pair struct{ key, value string }

func readPairs(name string) ([]pair, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var pairs []pair
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, ok := strings.Cut(line, "\t")
		if !ok {
			return nil, fmt.Errorf("%s:%d: %q has no tab", name, i+1, line)
		}
		pairs = append(pairs, pair{key, value})
	}
	return pairs, nil
}
