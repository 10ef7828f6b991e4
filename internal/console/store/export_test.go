package store

// SetReplayStep makes the steps of a rebuild so small that a few events need
// several.
func (s *Store) SetReplayStep(events int) { s.replayStep = events }

// Wanted says that somebody urgent waits to write.
func (s *Store) Wanted() bool { return s.turns.wanted() }
