package compare

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

var websiteLevels = []Level{
	{"different", "the sites differ", "网站不同"},
	{"distant", "the sites have little in common", "网站略有相似"},
	{"part", "the names of the sites resemble one another", "网站名称部分相似"},
	{"alike", "the names of the sites are alike", "网站名称相近"},
	{"name", "the name agrees, the ending differs", "网站名称一致，后缀不同"},
	{"typo", "the sites differ by one character", "网站差一个字符"},
	{"host", "the site agrees, the page differs", "网站一致，页面不同"},
	{"equal", "the sites agree", "网站一致"},
}

type websiteForm struct {
	host, path string
	name       string // the label under the public ending: acc of www.acc.com.tw
}

func (f *websiteForm) Key() string { return f.host + f.path }

type websites struct{}

func newWebsite(Type, Options) Comparator { return websites{} }

func (websites) Type() Type      { return Website }
func (websites) Levels() []Level { return websiteLevels }

func (websites) Prepare(value string) Form {
	s := strings.ToLower(strings.TrimSpace(norm.NFKC.String(strings.ToValidUTF8(cut(value), ""))))
	if i := strings.Index(s, "://"); i >= 0 {
		s = s[i+3:]
	}
	end := strings.IndexAny(s, "/?# ")
	if end < 0 {
		end = len(s)
	}
	host, _, _ := strings.Cut(s[:end], ":")
	host = strings.Trim(strings.TrimPrefix(host, "www."), ".")
	if folded(host) == "" || !strings.Contains(host, ".") {
		return nil
	}
	path := strings.TrimRight(s[end:], "/ ")
	return &websiteForm{host: host, path: path, name: siteName(host)}
}

// siteName is the label before the public ending: the longest of those that aren't an
// ending of two or three letters, the last of equals.
func siteName(host string) string {
	labels := strings.Split(host, ".")
	n := len(labels) - 1
	for n > 1 && (len(labels[n-1]) <= 3 && n == len(labels)-1 && len(labels[n]) == 2) {
		n--
	}
	return labels[max(n-1, 0)]
}

func (websites) Compare(a, b Form) Outcome {
	x, ok := a.(*websiteForm)
	y, too := b.(*websiteForm)
	if !ok || !too {
		return Outcome{}
	}
	return Outcome{Level: websiteLevel(x, y)}
}

// shortSite is the length below which sites with other names are others, however alike they are.
const shortSite = 5

func websiteLevel(x, y *websiteForm) uint8 {
	switch {
	case *x == *y:
		return Exact
	case x.host == y.host:
		return 6
	case x.name == y.name && len(x.name) >= 3:
		if edits(x.host, y.host) == 1 {
			return 5
		}
		return 4
	case min(len(x.name), len(y.name)) < shortSite: // chosen to be unlike
		return 0
	case edits(x.host, y.host) == 1:
		return 5
	}
	switch s := jaroWinkler(x.name, y.name); {
	case s >= 0.93:
		return 3
	case s >= 0.85:
		return 2
	case s >= 0.75:
		return 1
	}
	return 0
}

func (websites) Tokens(Form, func(uint64)) {}

func (websites) Keys(f Form, want KeyKinds, emit func(Key)) {
	p, ok := f.(*websiteForm)
	if !ok {
		return
	}
	e := emitter{want, emit}
	e.text(KeyExact, p.host)
	e.text(KeyToken, p.name)
	if len(p.name) >= 5 && len(p.name) <= 24 {
		e.deletions(p.name)
	}
}
