package capacity

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Progress tells people what a run does. The zero value tells nobody.
type Progress struct {
	mu   sync.Mutex
	to   io.Writer
	live bool // lines may be written over
	last time.Time
	open bool // a line that may be written over stands there
}

// NewProgress writes to a stream; on a terminal, loads show how far they are in one line.
func NewProgress(to io.Writer) *Progress {
	p := &Progress{to: to}
	if f, ok := to.(*os.File); ok {
		info, err := f.Stat()
		p.live = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

func (p *Progress) say(format string, args ...any) {
	if p.to == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	fmt.Fprintf(p.to, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}

func (p *Progress) clear() {
	if p.open {
		fmt.Fprint(p.to, "\r\x1b[K")
		p.open = false
	}
}

// part tells how far a load is: on a terminal four times a second, otherwise every ten
// seconds.
func (p *Progress) part(what string, done, total int) {
	if p.to == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	every := 10 * time.Second
	if p.live {
		every = 250 * time.Millisecond
	}
	if time.Since(p.last) < every {
		return
	}
	p.last = time.Now()
	text := fmt.Sprintf("%s: %s of %s", what, count(done), count(total))
	if p.live {
		fmt.Fprintf(p.to, "\r\x1b[K          %s", text)
		p.open = true
		return
	}
	fmt.Fprintf(p.to, "%s  %s\n", time.Now().Format(time.TimeOnly), text)
}

func (p *Progress) result(customers int, r *Result) {
	q, _ := questionNamed(r.Question)
	text := fmt.Sprintf("%10s  %-13s %s", count(customers), r.Question, valueText(r.Value, q.unit))
	if r.P99 > 0 {
		text += fmt.Sprintf("   p99 %s   slowest %s", valueText(r.P99, seconds), valueText(r.Max, seconds))
	}
	if r.CPUSeconds > 0 {
		text += "   CPU " + valueText(r.CPUSeconds, seconds)
	}
	p.say("%s", text)
}

// count writes a number with marks between the thousands.
func count(n int) string { return message.NewPrinter(language.English).Sprintf("%d", n) }

// bytesText writes a size to three digits.
func bytesText(n int64) string {
	size, units := float64(n), []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	for size >= 1000 && len(units) > 1 {
		size, units = size/1024, units[1:]
	}
	return fmt.Sprintf("%.3g %s", size, units[0])
}

// valueText writes a measured value to three digits with its unit.
func valueText(v float64, u unit) string {
	if u.rate() {
		return message.NewPrinter(language.English).Sprintf("%.0f", v) + " " + u.String()
	}
	switch {
	case v < 1e-3:
		return digitsText(v*1e6) + " µs"
	case v < 1:
		return digitsText(v*1e3) + " ms"
	}
	return digitsText(v) + " s"
}

func digitsText(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
