package compare

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

var emailLevels = []Level{
	{"different", "the addresses differ", "邮箱不同"},
	{"domain", "only the domain agrees", "仅域名一致"},
	{"resembling", "the names before the @ resemble one another", "用户名略有相似"},
	{"alike", "the names before the @ are alike at the same domain", "域名一致且用户名相近"},
	{"name", "the name before the @ agrees, the domain differs", "用户名一致，域名不同"},
	{"near", "the addresses differ by two or three characters", "邮箱差两三个字符"},
	{"typo", "the addresses differ by one character", "邮箱差一个字符"},
	{"equal", "the addresses agree", "邮箱一致"},
}

type emailForm struct{ local, domain string }

func (f *emailForm) Key() string {
	if f.domain == "" {
		return f.local
	}
	return f.local + "@" + f.domain
}

type emails struct{}

func newEmail(Type, Options) Comparator { return emails{} }

func (emails) Type() Type      { return Email }
func (emails) Levels() []Level { return emailLevels }

func (emails) Prepare(value string) Form {
	s := strings.ToLower(norm.NFKC.String(strings.ToValidUTF8(cut(value), "")))
	if open := strings.IndexByte(s, '<'); open >= 0 && strings.Contains(s[open:], "@") { // Wang Li <wang@example.com>
		s = s[open+1:]
	}
	s = strings.TrimPrefix(strings.TrimRight(strings.TrimSpace(s), ">,;. "), "mailto:")
	if folded(s) == "" {
		return nil
	}
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return &emailForm{local: s}
	}
	local, _, _ := strings.Cut(s[:at], "+")
	return &emailForm{strings.TrimSpace(local), strings.TrimSpace(s[at+1:])}
}

func (emails) Compare(a, b Form) Outcome {
	x, ok := a.(*emailForm)
	y, too := b.(*emailForm)
	if !ok || !too {
		return Outcome{}
	}
	return Outcome{Level: emailLevel(x, y)}
}

func emailLevel(x, y *emailForm) uint8 {
	if *x == *y {
		return Exact
	}
	if x.domain == y.domain && numbered(x.local, y.local) {
		return 3
	}
	local, similar, long := 0, float32(0), min(len(x.local), len(y.local)) >= 4
	if x.local != y.local {
		var p pairing
		p.set(x.local, y.local)
		local = p.edits()
		if long {
			similar = p.jaroWinkler()
		}
	} else if long {
		similar = 1
	}
	if local > 3 && similar < 0.88 { // then the domains need but be equal or not
		if x.domain != "" && (x.domain == y.domain || min(len(x.domain), len(y.domain)) > wordSize && edits(x.domain, y.domain) == 0) {
			return 1
		}
		return 0
	}
	domain := edits(x.domain, y.domain)
	if local+domain >= 1 && local+domain <= 3 {
		if near := closeEmails(x, y); near > 0 {
			return near
		}
	}
	switch {
	case local == 0 && len(x.local) >= 3:
		return 4
	case domain <= 2 && similar >= 0.88:
		return 3
	case long && local <= 1:
		return 3
	case similar >= 0.9:
		return 2
	case domain == 0 && x.domain != "":
		return 1
	}
	return 0
}

// numbered reports whether two mailboxes are one name with different numbers behind it, as
// providers tell namesakes apart: john.smith172 and john.smith175. Digits left out, doubled
// or swapped are slips of the hand.
func numbered(x, y string) bool {
	const digits = "0123456789"
	stem := strings.TrimRight(x, digits)
	return len(stem) >= 3 && len(stem) < len(x) && len(x) == len(y) && stem == strings.TrimRight(y, digits) && sortedLetters(x) != sortedLetters(y)
}

// closeEmails is the level of addresses that few characters divide, 0 where those are
// most of a short name.
func closeEmails(x, y *emailForm) uint8 {
	a, b := x.Key(), y.Key()
	local := edits(x.local, y.local)
	if 3*local > min(len(x.local), len(y.local)) || 3*edits(x.domain, y.domain) > min(len(x.domain), len(y.domain)) {
		return 0
	}
	switch e := edits(a, b); {
	case e <= 1:
		return 6
	case e <= 3:
		return 5
	}
	return 0
}

func (emails) Tokens(Form, func(uint64)) {}

func (emails) Keys(f Form, want KeyKinds, emit func(Key)) {
	p, ok := f.(*emailForm)
	if !ok {
		return
	}
	e := emitter{want, emit}
	e.text(KeyExact, p.Key())
	e.text(KeyToken, p.local)
	if n := len(p.local); n >= 4 && n <= 20 {
		e.deletions(p.local)
	}
	if n := len(p.domain); n >= 6 && n <= 32 {
		e.deletions("@" + p.domain)
	}
	if p.domain != "" {
		e.text(KeyPart, firstRune(p.local)+"@"+p.domain)
	}
}
