package compare

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// plainEmailLevel is emailLevel as its levels are told, each distance computed for itself.
func plainEmailLevel(x, y *emailForm) uint8 {
	local, domain := edits(x.local, y.local), edits(x.domain, y.domain)
	long := min(len(x.local), len(y.local)) >= 4
	near := uint8(0)
	if local+domain >= 1 && local+domain <= 3 {
		near = closeEmails(x, y)
	}
	switch {
	case *x == *y:
		return Exact
	case x.domain == y.domain && numbered(x.local, y.local):
		return 3
	case near > 0:
		return near
	case local == 0 && len(x.local) >= 3:
		return 4
	case domain <= 2 && long && jaroWinkler(x.local, y.local) >= 0.88, long && local <= 1:
		return 3
	case long && jaroWinkler(x.local, y.local) >= 0.9:
		return 2
	case domain == 0 && x.domain != "":
		return 1
	}
	return 0
}

func TestEmailsLeftEarlyHaveTheirLevel(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	long := strings.Repeat("long", 17)
	locals := []string{"", "a", "li", "wang", "wang.li", "wangli", "john.smith172", "john.smith175", "jsmith", "smith.john", "johnsmith.sales", "zhang", long + "x", long + "y"}
	domains := []string{"", "a.com", "b.com", "example.com", "exmaple.com", "example.org", "mail.example.net", long + ".com", long + ".net"}
	slip := func(s string) string {
		if s == "" || rng.IntN(2) == 0 {
			return s
		}
		i := rng.IntN(len(s))
		return s[:i] + string(rune('a'+rng.IntN(26))) + s[i+rng.IntN(2):]
	}
	met := map[uint8]bool{}
	for range 200_000 {
		x := &emailForm{slip(locals[rng.IntN(len(locals))]), slip(domains[rng.IntN(len(domains))])}
		y := &emailForm{slip(locals[rng.IntN(len(locals))]), slip(domains[rng.IntN(len(domains))])}
		want := plainEmailLevel(x, y)
		if got := emailLevel(x, y); got != want {
			t.Fatalf("%v and %v are on level %d; want %d", x, y, got, want)
		}
		met[want] = true
	}
	if len(met) != 8 {
		t.Errorf("levels %v were met; want all", met)
	}
}
