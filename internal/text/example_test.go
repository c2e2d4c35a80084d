package text_test

import (
	"fmt"

	"github.com/clientele-go/clientele/internal/text"
)

func Example() {
	name, err := text.Clean(" 台灣水泥　股份有限公司\t")
	if err != nil {
		fmt.Println(err)
		return
	}
	core, form := text.LegalForm(name)
	fmt.Println("stored:  ", name)
	fmt.Println("core:    ", core, "/", form)
	fmt.Println("key:     ", text.Fold(core))
	fmt.Println("pinyin:  ", text.Pinyin(core))
	fmt.Println("initials:", text.Initials(core))
	// Output:
	// stored:   台灣水泥 股份有限公司
	// core:     台灣水泥 / 股份有限公司
	// key:      台湾水泥
	// pinyin:   [tai wan shui ni]
	// initials: twsn
}

func ExampleClean_lostCharacter() {
	_, err := text.Clean("台\uFFFD水泥")
	fmt.Println(err)
	// Output: text "台�水泥", at byte 3: has U+FFFD, a character lost in an earlier conversion; take the text from where it was still whole
}

func ExamplePinyinOf() {
	fmt.Println(text.PinyinOf("曾经理", false), text.PinyinOf("单雄信", true))
	// Output: [ceng jing li] [shan xiong xin]
}
