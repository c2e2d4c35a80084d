package region_test

import (
	"fmt"

	"github.com/clientele-go/clientele/internal/region"
)

func ExampleParse() {
	for _, address := range []string{
		"518057 广东省深圳市南山区科技园南路1号", "台北市中山北路2段113號", "上海浦东新区世纪大道100号", "北京路12号",
	} {
		p, ok := region.Parse(address)
		if !ok {
			fmt.Println(address, "names no place")
			continue
		}
		fmt.Printf("%s %s %s|%s|%s|%s\n", p.Country, p.Code, p.Province, p.City, p.District, p.Rest)
	}
	// Output:
	// CN 440305 广东省|深圳市|南山区|科技园南路1号
	// TW 63000 臺北市|臺北市||中山北路2段113號
	// CN 310115 上海市|上海市|浦东新区|世纪大道100号
	// 北京路12号 names no place
}
