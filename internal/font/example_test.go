package font_test

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/image/font/gofont/goregular"

	"github.com/clientele-go/clientele/internal/font"
)

// The characters of a heading as a font to embed.
func Example() {
	folder, err := os.MkdirTemp("", "font")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "go.ttf")
	if err := os.WriteFile(path, goregular.TTF, 0o600); err != nil {
		fmt.Println(err)
		return
	}
	_, err = font.Find([]rune("Customers 客户"), font.Options{Files: []string{path}, NoSystem: true})
	fmt.Println(err)

	set, err := font.Find([]rune("Customers"), font.Options{Files: []string{path}, NoSystem: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer set.Close()
	subset, _, err := set.Subset("Heading")
	fmt.Println(len(subset) < len(goregular.TTF)/20, err)
	// Output:
	// no font has 2 characters, among them "客户"; 1 font files were tried
	// true <nil>
}
