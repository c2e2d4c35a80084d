package customer

// Discard takes back a customer that was created by mistake and not changed since: it is
// erased as by Erase, and its code is free again. version is 1, or the last that the
// caller knows of: a later one makes Discard fail with a *VersionError.
func (tx *Tx) Discard(id ID, version uint64) error {
	c, err := tx.changeable(id, RightErase, Identity)
	if err != nil {
		return err
	}
	if c.Version != version {
		return &VersionError{ID: id, Read: version, Present: c.Version}
	}
	if c.Status == Merged || c.Status == Erased {
		return &StatusError{ID: id, Status: c.Status, Action: "discard"}
	}
	bare := *c
	bare.Code = ""
	_, err = tx.eraseWhole(&bare)
	return err
}
