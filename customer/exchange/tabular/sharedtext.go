package tabular

import (
	"errors"
	"os"
)

// sharedTexts are the texts that a workbook's cells refer to by number: in memory up to a
// limit, beyond it in a temporary file.
type sharedTexts struct {
	limit int
	ends  []uint64 // where each text ends
	inMem []byte
	spill *os.File
	last  int // of the texts in memory
	room  []byte
}

const spillBytes = 256 << 10 // written at once

func (t *sharedTexts) add(text []byte) error {
	end := uint64(len(text))
	if n := len(t.ends); n > 0 {
		end += t.ends[n-1]
	}
	t.ends = append(t.ends, end)
	if t.spill == nil && len(t.inMem)+len(text) <= t.limit {
		t.inMem = append(t.inMem, text...)
		t.last = len(t.ends)
		return nil
	}
	if t.spill == nil {
		var err error
		if t.spill, err = os.CreateTemp("", "clientele-texts-"); err != nil {
			return err
		}
	}
	t.room = append(t.room, text...)
	if len(t.room) < spillBytes {
		return nil
	}
	return t.flush()
}

// flush makes what was added readable.
func (t *sharedTexts) flush() error {
	if len(t.room) == 0 {
		return nil
	}
	_, err := t.spill.Write(t.room)
	t.room = t.room[:0]
	return err
}

// at returns a text by its number. It is false if there is no such text.
func (t *sharedTexts) at(i int) (text string, ok bool, err error) {
	if i < 0 || i >= len(t.ends) {
		return "", false, nil
	}
	begin := uint64(0)
	if i > 0 {
		begin = t.ends[i-1]
	}
	if i < t.last {
		return string(t.inMem[begin:t.ends[i]]), true, nil
	}
	buffer := make([]byte, t.ends[i]-begin)
	if _, err := t.spill.ReadAt(buffer, int64(begin)-int64(len(t.inMem))); err != nil {
		return "", false, err
	}
	return string(buffer), true, nil
}

func (t *sharedTexts) close() error {
	if t.spill == nil {
		return nil
	}
	return errors.Join(t.spill.Close(), os.Remove(t.spill.Name()))
}
