package text

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
)

// algorithm is one more with every change of the code that gives some text another
// result of Fold or Pinyin.
const algorithm = 1

// Fingerprint names the tables and the code that Fold and Pinyin follow. Keys that were
// stored under another fingerprint have to be made anew. The first call costs half a
// millisecond.
var Fingerprint = sync.OnceValue(func() string {
	h := sha256.New()
	fmt.Fprintln(h, algorithm)
	for _, table := range []string{foldBin, phraseText, pinyinBin, pinyinWordText, surnameText} {
		fmt.Fprintln(h, len(table), table)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
})
